// SPDX-License-Identifier: Apache-2.0
#include "attest/native_session.h"

#include <string.h>

#include "attest/reasons.h"
#include "attest/report_data.h"
#include "base/secret_buffer.h"
#include "sev/report.h"

namespace attest {

using base::Bytes;
using base::Code;
using base::MutableBytes;
using base::Result;
using base::Status;
using base::Step;

static_assert(proto::kAttestReportSize == sev::UnverifiedReport::kSize);

Status NativeSession::Start(crypto::SecureChannel& channel,
                            EvidenceSource& evidence,
                            const SessionRequest& request) {
  if (phase_ != Phase::kIdle) {
    return Status(Code::kFailedPrecondition, kSessionWrongState);
  }
  constexpr Status kInvalid(Code::kInvalidArgument, kSessionRequestInvalid);
  proto::AttestRequest message;
  message.vm = request.vm;
  for (const WantedSecret& secret : request.secrets) {
    if (secret.max_size > proto::kMaxSecretSize) return kInvalid;
    for (const Bytes& other : message.resources) {
      if (base::Equal(secret.name, other)) return kInvalid;
    }
    if (!message.resources.Add(secret.name).ok()) return kInvalid;
  }
  if (request.boot_manifest.empty() ||
      request.boot_manifest.size() > proto::kMaxBootManifest) {
    return kInvalid;
  }
  const Result<size_t> size = proto::Encode(message, sent_request_);
  if (!size.ok()) return kInvalid;
  sent_request_size_ = *size;
  channel_ = &channel;
  evidence_ = &evidence;
  request_ = request;
  sender_.Start(Bytes(sent_request_).first(sent_request_size_));
  phase_ = Phase::kSendingRequest;
  return {};
}

Result<Step> NativeSession::Advance() {
  if (phase_ == Phase::kFailed) return error_;
  const Result<Step> step = Run();
  if (!step.ok()) {
    secrets_.Wipe();
    error_ = step.status();
    phase_ = Phase::kFailed;
  }
  return step;
}

// Goes through phases until one has to wait.
Result<Step> NativeSession::Run() {
  for (;;) {
    Step step = Step::kDone;
    switch (phase_) {
      case Phase::kIdle:
        return Status(Code::kFailedPrecondition, kSessionWrongState);
      case Phase::kSendingRequest: {
        BASE_TRY_ASSIGN(step, sender_.Advance(*channel_));
        if (step == Step::kWaiting) return step;
        receiver_.Start(
            MutableBytes(buffer_).first(proto::kMaxAttestChallenge));
        phase_ = Phase::kAwaitingChallenge;
        break;
      }
      case Phase::kAwaitingChallenge: {
        BASE_TRY_ASSIGN(step, receiver_.Advance(*channel_));
        if (step == Step::kWaiting) return step;
        BASE_TRY(OnChallenge());
        phase_ = Phase::kSendingEvidence;
        break;
      }
      case Phase::kSendingEvidence: {
        BASE_TRY_ASSIGN(step, sender_.Advance(*channel_));
        if (step == Step::kWaiting) return step;
        receiver_.Start(buffer_);
        phase_ = Phase::kAwaitingVerdict;
        break;
      }
      case Phase::kAwaitingVerdict: {
        BASE_TRY_ASSIGN(step, receiver_.Advance(*channel_));
        if (step == Step::kWaiting) return step;
        OnVerdict();
        phase_ = Phase::kSendingReceipt;
        break;
      }
      case Phase::kSendingReceipt: {
        // The receipt decides nothing: a peer that is gone changes nothing.
        const Result<Step> sent = sender_.Advance(*channel_);
        if (sent.ok() && *sent == Step::kWaiting) return Step::kWaiting;
        BASE_TRY(verdict_);
        phase_ = Phase::kDone;
        break;
      }
      case Phase::kDone:
        return Step::kDone;
      case Phase::kFailed:
        return error_;
    }
  }
}

Status NativeSession::OnChallenge() {
  arena_.Reset();
  BASE_TRY_ASSIGN(
      const proto::AttestChallenge challenge,
      proto::Decode<proto::AttestChallenge>(receiver_.message(), arena_));
  if (base::AllZero(challenge.nonce)) {
    return Status(Code::kDataLoss, kNonceInvalid);
  }
  std::array<uint8_t, kSessionBindingSize> binding;
  BASE_TRY(channel_->Export(kExporterLabel, challenge.nonce, binding));
  const crypto::Sha384Digest transcript = TranscriptHash(
      Bytes(sent_request_).first(sent_request_size_), receiver_.message());
  const ReportData report_data =
      ComputeReportData(binding, transcript, request_.boot_manifest);
  base::SecureZero(binding.data(), binding.size());
  BASE_TRY(evidence_->GetReport(report_data, report_));
  BASE_TRY(CheckReport(report_data));
  return MakeEvidence(challenge);
}

// A report that is not ours would be refused by the verifier too; here the
// reason reaches the console.
Status NativeSession::CheckReport(
    std::span<const uint8_t, 64> report_data) const {
  const Result<sev::UnverifiedReport> report =
      sev::UnverifiedReport::Parse(report_);
  if (!report.ok()) {
    return Status(Code::kUnauthenticated, report.status().reason());
  }
  if (!base::Equal(report->report_data(), report_data)) {
    return Status(Code::kUnauthenticated, kReportNotOurs);
  }
  if (report->vmpl() != 0) {
    return Status(Code::kUnauthenticated, kReportWrongVmpl);
  }
  return {};
}

Status NativeSession::MakeEvidence(const proto::AttestChallenge& challenge) {
  proto::AttestEvidence message;
  message.report = report_;
  message.boot_manifest = request_.boot_manifest;
  if (challenge.certificates_wanted) {
    BASE_TRY_ASSIGN(const size_t size,
                    evidence_->GetCertificates(report_, certificates_));
    if (size > certificates_.size()) {
      return Status(Code::kInternal, kCertificatesTooLarge);
    }
    message.certificates = Bytes(certificates_).first(size);
  }
  BASE_TRY_ASSIGN(const size_t size, proto::Encode(message, buffer_));
  sender_.Start(Bytes(buffer_).first(size));
  return {};
}

// Whatever comes of the verdict, the verifier is told in a receipt first.
void NativeSession::OnVerdict() {
  arena_.Reset();
  verdict_ = TakeVerdict();
  // They held the secrets; secrets_ has its own copy.
  arena_.Reset();
  base::SecureZero(buffer_.data(), buffer_.size());

  proto::AttestReceipt receipt;
  receipt.accepted = verdict_.ok() && outcome_ == proto::Outcome::kGranted;
  if (!verdict_.ok()) {
    receipt.reason = verdict_.reason().bits;
  } else if (!receipt.accepted) {
    receipt.reason = kRefusedByVerifier.bits;
  }
  const Result<size_t> size = proto::Encode(receipt, buffer_);
  sender_.Start(Bytes(buffer_).first(size.ok() ? *size : 0));
}

Status NativeSession::TakeVerdict() {
  BASE_TRY_ASSIGN(
      const proto::AttestVerdict verdict,
      proto::Decode<proto::AttestVerdict>(receiver_.message(), arena_));
  memcpy(decision_id_.data(), verdict.decision_id.data(), decision_id_.size());
  outcome_ = verdict.outcome;
  if (verdict.outcome != proto::Outcome::kGranted) return {};
  boot_counter_ = verdict.boot_counter;
  const Status status = secrets_.Accept(request_.secrets, verdict);
  // Not what was asked for: then nothing was granted.
  if (!status.ok()) outcome_ = proto::Outcome::kProtocolError;
  return status;
}

void NativeSession::Wipe() {
  secrets_.Wipe();
  arena_.Reset();
  base::SecureZero(buffer_.data(), buffer_.size());
  base::SecureZero(report_.data(), report_.size());
  base::SecureZero(certificates_.data(), certificates_.size());
  base::SecureZero(sent_request_.data(), sent_request_.size());
  sent_request_size_ = 0;
  decision_id_ = {};
  boot_counter_ = 0;
  outcome_ = proto::Outcome::kProtocolError;
  channel_ = nullptr;
  evidence_ = nullptr;
  request_ = {};
  sender_ = {};
  receiver_ = {};
  error_ = {};
  verdict_ = {};
  phase_ = Phase::kIdle;
}

}  // namespace attest
