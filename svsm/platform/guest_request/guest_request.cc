// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/guest_request/guest_request.h"

#include <string.h>

#include "svsm/platform/guest_request/reasons.h"

namespace svsm {
namespace {

using base::Code;
using base::Milliseconds;
using base::Status;

constexpr uint32_t kVmpl = 0;
constexpr uint8_t kVmpckIndex = 0;

// The host may limit the rate of requests (GHCB, "SNP Guest Request"); the
// pause doubles from the first to the last of these.
constexpr uint64_t kFirstPauseMs = 1;
constexpr uint64_t kLastPauseMs = 512;
// Also bound by counts: the host can stop the clock while this CPU runs.
constexpr int kMaxAttempts = 1300;
constexpr uint64_t kMaxPollsInPause = 20'000'000;

// What SW_EXITINFO2 says: bits 63:32 are the host's error, bits 31:0 the
// firmware's (GHCB 4.1.7).
enum class HostReply : uint8_t { kDone, kBusy, kRefused, kFirmwareError };
constexpr uint64_t kVmmErrorBusy = 2;

HostReply ReplyOf(uint64_t exit_info_2) {
  const uint64_t vmm_error = exit_info_2 >> 32;
  const uint64_t firmware_error = exit_info_2 & 0xFFFFFFFF;
  if (vmm_error == 0 && firmware_error == 0) return HostReply::kDone;
  if (vmm_error == 0) return HostReply::kFirmwareError;
  return vmm_error == kVmmErrorBusy ? HostReply::kBusy : HostReply::kRefused;
}

}  // namespace

Status GuestRequestDriver::GetReport(std::span<const uint8_t, 64> report_data,
                                     std::span<uint8_t, sev::kReportSize> out) {
  const Status status = Attempt(report_data, out);
  if (!status.ok()) {
    Wipe();
    base::SecureZero(out.data(), out.size());
  }
  return status;
}

Status GuestRequestDriver::Attempt(std::span<const uint8_t, 64> report_data,
                                   std::span<uint8_t, sev::kReportSize> out) {
  if (vmpck0_.size() != sev::kVmpckSize) {
    return Status(Code::kFailedPrecondition, kVmpckGone);
  }
  if (last_sequence_number_ > UINT64_MAX - 2) {
    return Status(Code::kFailedPrecondition, kSequenceExhausted);
  }
  const uint64_t sequence_number = last_sequence_number_ + 1;

  sev::ReportRequest request;
  request.vmpl = kVmpl;
  memcpy(request.report_data.data(), report_data.data(), report_data.size());
  BASE_TRY(Seal(sev::EncodeReportRequest(request), sequence_number));
  BASE_TRY(ExchangeSealed(clock_.Now() + timeout_));
  BASE_TRY_ASSIGN(const base::Bytes payload, OpenResponse(sequence_number + 1));

  BASE_TRY_ASSIGN(const sev::ReportResponse response,
                  sev::ParseReportResponse(payload));
  if (response.status != sev::kReportStatusSuccess) {
    return Status(Code::kUnavailable, kReportRefused);
  }
  BASE_TRY_ASSIGN(const sev::UnverifiedReport report,
                  sev::UnverifiedReport::Parse(response.report));
  if (!base::Equal(report.report_data(), report_data)) {
    return Status(Code::kDataLoss, kReportOtherData);
  }
  if (report.vmpl() != kVmpl) {
    return Status(Code::kDataLoss, kReportOtherVmpl);
  }
  memcpy(out.data(), report.bytes().data(), out.size());
  return {};
}

Status GuestRequestDriver::Seal(base::Bytes plain, uint64_t sequence_number) {
  const sev::MessagePage page(request_);
  memset(page.data(), 0, page.size());
  sev::WriteMessageHeader({.sequence_number = sequence_number,
                           .type = sev::MessageType::kReportRequest,
                           .version = sev::kReportMessageVersion,
                           .size = static_cast<uint16_t>(plain.size()),
                           .vmpck = kVmpckIndex},
                          page);
  BASE_TRY(cipher_.Init(vmpck0_.RevealSecret().first<sev::kVmpckSize>()));
  // Spent here, whatever happens next; the answer has the number after it.
  last_sequence_number_ = sequence_number + 1;
  return cipher_.Seal(sev::MessageIv(sequence_number), sev::MessageAad(page),
                      plain, sev::MessagePayload(page, plain.size()),
                      sev::MessageTag(page));
}

Status GuestRequestDriver::ExchangeSealed(base::Instant deadline) {
  uint64_t pause_ms = kFirstPauseMs;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    memset(response_.data(), 0, response_.size());
    BASE_TRY_ASSIGN(last_exit_info_2_,
                    doorbell_.Exchange(request_, response_, deadline));
    switch (ReplyOf(last_exit_info_2_)) {
      case HostReply::kDone:
        return {};
      case HostReply::kBusy:
        break;
      case HostReply::kRefused:
        return Status(Code::kUnavailable, kHostRefused);
      case HostReply::kFirmwareError:
        return Status(Code::kUnavailable, kFirmwareError);
    }
    Pause(Milliseconds{pause_ms}, deadline);
    if (clock_.Passed(deadline)) break;
    if (pause_ms < kLastPauseMs) pause_ms *= 2;
  }
  return Status(Code::kDeadlineExceeded, kFirmwareBusy);
}

void GuestRequestDriver::Pause(Milliseconds pause, base::Instant deadline) {
  const base::Instant end = clock_.Now() + pause;
  for (uint64_t polls = 0; polls < kMaxPollsInPause; ++polls) {
    if (clock_.Passed(end) || clock_.Passed(deadline)) return;
    clock_.Relax();
  }
}

base::Result<base::Bytes> GuestRequestDriver::OpenResponse(
    uint64_t sequence_number) {
  const sev::MessagePage page(response_);
  if (base::AllZero(page)) return Status(Code::kDataLoss, kResponseMissing);
  BASE_TRY_ASSIGN(const sev::MessageHeader header,
                  sev::ReadMessageHeader(page));
  if (header.sequence_number != sequence_number) {
    return Status(Code::kDataLoss, kResponseWrongSequence);
  }
  if (header.type != sev::MessageType::kReportResponse ||
      header.version != sev::kReportMessageVersion ||
      header.vmpck != kVmpckIndex) {
    return Status(Code::kDataLoss, kResponseWrongMessage);
  }
  const base::MutableBytes payload = sev::MessagePayload(page, header.size);
  const Status opened =
      cipher_.Open(sev::MessageIv(sequence_number), sev::MessageAad(page),
                   payload, sev::MessageTag(page), payload);
  if (!opened.ok()) return Status(Code::kUnauthenticated, kResponseForged);
  return base::Bytes(payload);
}

void GuestRequestDriver::Wipe() {
  vmpck0_.Wipe();
  cipher_.Wipe();
}

}  // namespace svsm
