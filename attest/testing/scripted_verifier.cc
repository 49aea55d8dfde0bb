// SPDX-License-Identifier: Apache-2.0
#include "attest/testing/scripted_verifier.h"

#include <stdlib.h>

#include <memory>
#include <utility>

#include "attest/report_data.h"
#include "proto/arena.h"
#include "sev/report.h"

namespace attest::testing {
namespace {

using base::Result;
using base::Status;
using base::Step;

base::Bytes BytesOf(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::vector<uint8_t> Copy(base::Bytes bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::vector<uint8_t> Framed(base::Bytes body) {
  std::vector<uint8_t> frame(4 + body.size());
  base::StoreLe(static_cast<uint32_t>(body.size()),
                base::MutableBytes(frame).first<4>());
  std::copy(body.begin(), body.end(), frame.begin() + 4);
  return frame;
}

void ScriptedVerifier::Send(Frame frame) {
  unsent_.insert(unsent_.end(), frame.begin(), frame.end());
}

Result<Step> ScriptedVerifier::Receive(std::vector<uint8_t>& out) {
  if (!receiving_) {
    buffer_.resize(proto::kMaxAttestMessage);
    receiver_.Start(buffer_);
    receiving_ = true;
  }
  BASE_TRY_ASSIGN(const Step step, receiver_.Advance(channel_));
  if (step == Step::kDone) {
    out = Copy(receiver_.message());
    receiving_ = false;
  }
  return step;
}

ScriptedVerifier::Frame ScriptedVerifier::MakeChallenge() {
  std::vector<uint8_t> body(proto::kMaxAttestChallenge);
  const Result<size_t> size =
      proto::Encode(proto::AttestChallenge{nonce, certificates_wanted}, body);
  if (!size.ok()) abort();
  body.resize(*size);
  Frame frame = Framed(body);
  if (change_challenge) change_challenge(frame);
  challenge =
      frame.size() < 4 ? Frame() : Frame(frame.begin() + 4, frame.end());
  return frame;
}

ScriptedVerifier::Frame ScriptedVerifier::MakeVerdict() {
  static constexpr std::array<uint8_t, proto::kDecisionIdSize> kDecision = {
      0xDE, 0xC1, 0x51, 0x0D};
  proto::AttestVerdict verdict;
  verdict.outcome = outcome;
  verdict.decision_id = kDecision;
  if (outcome == proto::Outcome::kGranted) {
    verdict.boot_counter = 7;
    for (const ScriptedSecret& secret : secrets) {
      const Status added = verdict.secrets.Add(
          {BytesOf(secret.name), secret.is_luks2, secret.value,
           secret.header_length, secret.header_sha256});
      if (!added.ok()) abort();
    }
  }
  std::vector<uint8_t> body(proto::kMaxAttestMessage);
  const Result<size_t> size = proto::Encode(verdict, body);
  if (!size.ok()) abort();
  body.resize(*size);
  Frame frame = Framed(body);
  if (change_verdict) change_verdict(frame);
  return frame;
}

Status ScriptedVerifier::OnEvidence() {
  const auto arena = std::make_unique<proto::AttestArena>();
  BASE_TRY_ASSIGN(const proto::AttestEvidence message,
                  proto::Decode<proto::AttestEvidence>(evidence, *arena));
  report = Copy(message.report);
  certificates = Copy(message.certificates);
  boot_manifest = Copy(message.boot_manifest);
  std::array<uint8_t, kSessionBindingSize> binding;
  BASE_TRY(channel_.Export(kExporterLabel, nonce, binding));
  const ReportData expected = ComputeReportData(
      binding, TranscriptHash(request, challenge), boot_manifest);
  report_data_matches = base::Equal(
      expected, base::Bytes(report).subspan(
                    sev::report_layout::ReportData::kOffset, kReportDataSize));
  if (!report_data_matches) outcome = proto::Outcome::kEvidenceInvalid;
  return {};
}

Result<Step> ScriptedVerifier::Advance() {
  for (;;) {
    while (!unsent_.empty()) {
      BASE_TRY_ASSIGN(const size_t taken, channel_.Write(unsent_));
      if (taken == 0) return Step::kWaiting;
      unsent_.erase(unsent_.begin(),
                    unsent_.begin() + static_cast<ptrdiff_t>(taken));
    }
    std::vector<uint8_t> message;
    if (wants_ == Wants::kNothing) return Step::kDone;
    BASE_TRY_ASSIGN(const Step step, Receive(message));
    if (step == Step::kWaiting) return step;
    switch (wants_) {
      case Wants::kRequest:
        request = message;
        Send(MakeChallenge());
        wants_ = Wants::kEvidence;
        break;
      case Wants::kEvidence:
        evidence = message;
        BASE_TRY(OnEvidence());
        Send(MakeVerdict());
        wants_ = Wants::kReceipt;
        break;
      case Wants::kReceipt: {
        proto::UnpackArena<1024> arena;
        BASE_TRY_ASSIGN(receipt,
                        proto::Decode<proto::AttestReceipt>(message, arena));
        has_receipt = true;
        wants_ = Wants::kNothing;
        break;
      }
      case Wants::kNothing:
        break;
    }
  }
}

}  // namespace attest::testing
