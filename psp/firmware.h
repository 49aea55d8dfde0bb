// SPDX-License-Identifier: Apache-2.0
//
// Firmware: the secure processor's side of one SNP guest, in software.
//
// Spec: AMD 56860 (SEV-SNP Firmware ABI) rev. 1.58, SNP_GUEST_REQUEST,
// MSG_REPORT_REQ, MSG_KEY_REQ, "Secrets Page", "Status Codes".
// A model: it keeps AMD's formats, key rules and sequence numbers, and none of
// the promises, since whoever runs this process reads its memory. Requests are
// hostile: they come from whoever can write into the channel.
#pragma once

#include <stdint.h>

#include <array>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/secret_buffer.h"
#include "psp/derived_key.h"
#include "psp/fault.h"
#include "psp/hierarchy.h"
#include "psp/report_maker.h"
#include "sev/guest_message.h"
#include "sev/page_info.h"
#include "sev/report.h"
#include "sev/secrets_page.h"

namespace psp {

// Firmware status codes, low half of SW_EXITINFO2.
inline constexpr uint64_t kFirmwareBadMeasurement = 0x0B;  // tag or sequence
inline constexpr uint64_t kFirmwareInvalidParameter = 0x16;
inline constexpr uint64_t kFirmwareResourceLimit = 0x17;
// VMM errors, high half (GHCB 4.1.7).
inline constexpr uint64_t kVmmBusy = uint64_t{2} << 32;

using Page = std::array<uint8_t, sev::kMessagePageSize>;

class Firmware {
 public:
  enum class Delivery : uint8_t { kAnswer, kSilent, kClose };
  struct Reply {
    Delivery delivery = Delivery::kAnswer;
    uint64_t exit_info_2 = 0;
    Page page{};  // Meaningful if exit_info_2 is 0.
  };

  // `hierarchy` outlives it. Without keys until the first Launch().
  explicit Firmware(const Hierarchy& hierarchy, Fault fault = Fault::kNone,
                    const PlatformConfig& platform = {})
      : hierarchy_(hierarchy), fault_(fault), platform_(platform) {}
  Firmware(const Firmware&) = delete;
  Firmware& operator=(const Firmware&) = delete;

  // A new start of the VM: new VMPCKs, a new report id, sequence numbers from
  // 0.
  void Launch(const GuestContext& guest);
  void Launch(const sev::LaunchDigest& measurement) {
    Launch(GuestContext{.measurement = measurement});
  }

  // The page that the guest finds after Launch(). Holds all four VMPCKs.
  std::array<uint8_t, sev::kSecretsPageSize> SecretsPage() const;

  // One SNP_GUEST_REQUEST.
  Reply Request(std::span<const uint8_t, sev::kMessagePageSize> request);

  // For tests that search memory for it.
  const sev::Vmpck& vmpck0_for_tests() const { return keys_[0].key; }

 private:
  struct MessageKey {
    sev::Vmpck key;
    uint64_t last_sequence_number = 0;
  };

  Reply Handle(std::span<const uint8_t, sev::kMessagePageSize> request);
  // The answers' payloads for one request under VMPCK `vmpck`.
  std::array<uint8_t, sev::kReportResponseSize> MakeReportResponse(
      const sev::ReportRequest& request, uint8_t vmpck);
  std::array<uint8_t, sev::kKeyResponseSize> MakeKeyResponse(
      const sev::KeyRequest& request, uint8_t vmpck);
  // The key that KEY_SEL means; empty: it is not loaded.
  std::optional<SignerKind> Select(sev::KeySelect key_select) const;
  ReportBytes MakeReport(const sev::ReportRequest& request, SignerKind signer);
  uint64_t AnswerSequenceNumber(uint64_t request) const;

  const Hierarchy& hierarchy_;
  const Fault fault_;
  const PlatformConfig platform_;
  bool busy_told_ = false;
  GuestContext guest_;
  RootSecret vmrk_;
  std::array<MessageKey, sev::kVmpckCount> keys_;
};

}  // namespace psp
