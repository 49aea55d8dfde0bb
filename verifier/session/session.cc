// SPDX-License-Identifier: Apache-2.0
#include "verifier/session/session.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hosted/text.h"
#include "verifier/ossl/ossl.h"
#include "verifier/policy/path_pattern.h"
#include "verifier/reasons.h"
#include "verifier/session/report_data.h"

namespace verifier {
namespace {

std::string Text(base::Bytes bytes) {
  return std::string(bytes.begin(), bytes.end());
}

}  // namespace

Session::Session(Store& store, KeyExporter& exporter, SessionOptions options)
    : store_(store), exporter_(exporter), options_(std::move(options)) {
  ossl::RandomBytes(decision_id_);
}

Reply Session::OnMessage(base::Bytes body) {
  switch (state_) {
    case State::kRequest:
      return OnRequest(body);
    case State::kEvidence:
      return OnEvidence(body);
    case State::kReceipt:
      OnReceipt(body);
      return Reply();
    case State::kDone:
      return Reply();
  }
  __builtin_trap();
}

Reply Session::OnViolation(base::Reason reason, std::string_view detail) {
  if (decided_) {
    state_ = State::kDone;
    return Reply();
  }
  return Refuse(proto::Outcome::kProtocolError, {reason, std::string(detail)});
}

Reply Session::OnRequest(base::Bytes body) {
  const auto arena = std::make_unique<proto::AttestArena>();
  const auto request = proto::Decode<proto::AttestRequest>(body, *arena);
  if (!request.ok()) {
    return Refuse(proto::Outcome::kProtocolError,
                  {request.status().reason(), "request"});
  }
  bool names_are_valid = ValidName(Text(request->vm));
  for (const base::Bytes& resource : request->resources) {
    const std::string path = Text(resource);
    const bool twice =
        std::find(paths_.begin(), paths_.end(), path) != paths_.end();
    names_are_valid = names_are_valid && ValidName(path) && !twice;
    paths_.push_back(path);
  }
  if (!names_are_valid) {
    return Refuse(proto::Outcome::kProtocolError, {kNameInvalid, "request"});
  }
  vm_ = Text(request->vm);
  request_.assign(body.begin(), body.end());
  ossl::RandomBytes(nonce_);
  challenge_.resize(proto::kMaxAttestChallenge);
  const auto size = proto::Encode(
      proto::AttestChallenge{.nonce = nonce_, .certificates_wanted = true},
      challenge_);
  if (!size.ok()) {
    return Refuse(proto::Outcome::kTryLater, {size.status().reason(), ""});
  }
  challenge_.resize(*size);
  state_ = State::kEvidence;
  return Reply(challenge_);
}

Reply Session::OnEvidence(base::Bytes body) {
  const auto arena = std::make_unique<proto::AttestArena>();
  const auto evidence = proto::Decode<proto::AttestEvidence>(body, *arena);
  if (!evidence.ok()) {
    return Refuse(proto::Outcome::kProtocolError,
                  {evidence.status().reason(), "evidence"});
  }
  std::array<uint8_t, kSessionBindingSize> binding{};
  if (!exporter_.Export(kExporterLabel, nonce_, binding)) {
    return Refuse(proto::Outcome::kTryLater, {kTlsFailed, "exporter"});
  }
  Question question{.vm = vm_,
                    .paths = paths_,
                    .report = evidence->report,
                    .certificates = evidence->certificates,
                    .report_data = ReportData(binding, request_, challenge_,
                                              evidence->boot_manifest),
                    .now_ms = options_.now_ms(),
                    .allow_emulated = options_.allow_emulated,
                    .endorsements = options_.endorsements,
                    .cache = options_.cache};
  const auto manifest_arena = std::make_unique<proto::AttestArena>();
  const auto manifest = proto::Decode<proto::BootManifest>(
      evidence->boot_manifest, *manifest_arena);
  if (manifest.ok()) question.boot = *manifest;
  return Conclude(Decide(question, store_));
}

void Session::OnReceipt(base::Bytes body) {
  state_ = State::kDone;
  if (!recorded_) return;
  proto::UnpackArena<1024> arena;
  const auto receipt = proto::Decode<proto::AttestReceipt>(body, arena);
  std::string text = "malformed";
  if (receipt.ok()) {
    text =
        receipt->accepted
            ? "accepted"
            : absl::StrCat("refused ", hosted::ForeignReason(receipt->reason));
  }
  const absl::Status added = store_.AddReceipt(decision_id_, text);
  if (!added.ok()) {
    options_.log(absl::StrCat("receipt not recorded: ", added.message()));
  }
}

Reply Session::Refuse(proto::Outcome outcome, Finding finding) {
  Decision decision;
  decision.outcome = outcome;
  decision.detail.findings.push_back(std::move(finding));
  for (const std::string& path : paths_) {
    // What did not parse as a name is not for the log.
    if (ValidName(path)) decision.detail.asked.push_back({path, ""});
  }
  return Conclude(std::move(decision));
}

Committed Session::CommitOrTryLater(Decision& decision) {
  const auto record = [&] {
    decision.detail.peer = options_.peer;
    DecisionRecord out{.id = decision_id_,
                       .time_ms = options_.now_ms(),
                       .vm = vm_,
                       .outcome = proto::NameOf(decision.outcome),
                       .emulated = decision.emulated,
                       .detail = ToJson(decision.detail),
                       .generation = decision.generation};
    if (decision.outcome == proto::Outcome::kGranted) {
      out.granted_report = decision.report_id;
    }
    return out;
  };
  const auto committed = store_.Commit(record());
  if (committed.ok()) {
    recorded_ = true;
    return *committed;
  }
  decision.outcome = proto::Outcome::kTryLater;
  decision.secrets.clear();
  Finding why = FindingFrom(committed.status());
  // Locked by another process: not twice the wait, which is everybody's.
  const bool busy =
      absl::IsUnavailable(committed.status()) && why.reason == kStoreWrite;
  decision.detail.findings.push_back(std::move(why));
  const absl::Status second =
      busy ? committed.status() : store_.Commit(record()).status();
  recorded_ = second.ok();
  if (!recorded_) {
    options_.log(absl::StrCat("decision ", ossl::Hex(decision_id_),
                              " not recorded: ", second.message()));
  }
  return {};
}

Reply Session::Conclude(Decision decision) {
  decided_ = true;
  Committed committed;
  // A loop of bad requests must not fill the disk. A grant is always recorded
  // before it is released, whatever else the decision says.
  const bool granted = decision.outcome == proto::Outcome::kGranted;
  if (granted || decision.genuine || options_.record_unproven()) {
    committed = CommitOrTryLater(decision);
    Log(decision);
  }
  // Only who got this far may say that it took the secrets.
  const bool understood = decision.outcome != proto::Outcome::kProtocolError;
  state_ = understood ? State::kReceipt : State::kDone;
  return EncodeVerdict(decision, committed);
}

Reply Session::EncodeVerdict(const Decision& decision,
                             const Committed& committed) {
  proto::AttestVerdict verdict;
  verdict.outcome = decision.outcome;
  verdict.decision_id = decision_id_;
  if (decision.outcome == proto::Outcome::kGranted) {
    for (const Decision::Secret& secret : decision.secrets) {
      const SecretValue& value = secret.value;
      const bool is_luks2 = value.kind == SecretKind::kLuks2;
      proto::VerdictSecret out{.name = ossl::AsBytes(secret.path),
                               .is_luks2 = is_luks2,
                               .value = value.bytes.RevealSecret()};
      if (is_luks2) {
        out.header_length = value.header_length;
        out.header_sha256 = value.header_sha256;
      }
      // There are no more secrets than the request may name.
      if (!verdict.secrets.Add(out).ok()) __builtin_trap();
    }
    verdict.boot_counter = committed.boot_counter;
    if (committed.previous_report) {
      verdict.previous_report_id = *committed.previous_report;
    }
  }
  std::vector<uint8_t> bytes(proto::kMaxAttestMessage);
  const auto size = proto::Encode(verdict, bytes);
  if (!size.ok()) {
    // A bug: the limits of store and protocol differ. Nothing leaves.
    options_.log(absl::StrCat("verdict does not encode: ",
                              ReasonCode(size.status().reason())));
    base::SecureZero(bytes.data(), bytes.size());
    state_ = State::kDone;
    return Reply();
  }
  bytes.resize(*size);  // Shrinks in place; what is cut off is zeros.
  return Reply(std::move(bytes));
}

void Session::Log(const Decision& decision) {
  options_.log(absl::StrCat(vm_.empty() ? "?" : vm_, ": ",
                            proto::NameOf(decision.outcome),
                            decision.emulated ? " EMULATED" : "", ", decision ",
                            ossl::Hex(decision_id_)));
}

}  // namespace verifier
