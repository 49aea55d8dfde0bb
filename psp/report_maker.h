// SPDX-License-Identifier: Apache-2.0
//
// Attestation reports as the firmware writes them, before and after signing.
//
// Spec: sev/report.h. AMD 56860 rev. 1.58, SNP_CONFIG for the masks.
#pragma once

#include <stdint.h>

#include <array>
#include <span>

#include "base/bytes.h"
#include "hosted/openssl/openssl.h"
#include "psp/certificates.h"
#include "psp/chip_model.h"
#include "sev/guest_message.h"
#include "sev/guest_policy.h"
#include "sev/page_info.h"
#include "sev/report.h"

namespace psp {

using ReportBytes = std::array<uint8_t, sev::kReportSize>;

inline constexpr uint32_t kMinReportVersion = 2;
inline constexpr uint32_t kMaxReportVersion = 5;

// What the guest's launch fixed.
struct GuestContext {
  sev::LaunchDigest measurement{};
  uint64_t policy = sev::kPolicySmt | sev::kPolicyReservedMustBeOne;
  uint32_t guest_svn = 0;
  std::array<uint8_t, 16> family_id{};
  std::array<uint8_t, 16> image_id{};
  std::array<uint8_t, 32> host_data{};
  std::array<uint8_t, 48> id_key_digest{};
  std::array<uint8_t, 48> author_key_digest{};
  bool author_key_enabled = false;
  std::array<uint8_t, 32> report_id{};  // Firmware::Launch() makes one.
};

// What the host's administrator set.
struct PlatformConfig {
  uint32_t report_version = 3;
  bool mask_chip_id = false;   // CHIP_ID is zero.
  bool mask_chip_key = false;  // No VCEK signs; a VLEK does.
};

// All fields but the signature. `signing_key` is what would sign if chip keys
// were not masked.
ReportBytes MakeUnsignedReport(const ChipModel& model, const ChipId& chip_id,
                               const GuestContext& guest,
                               const PlatformConfig& platform,
                               const sev::ReportRequest& request,
                               sev::SigningKey signing_key);

inline constexpr size_t kComponentSize = sev::report_layout::SignatureR::kSize;
// ECDSA with SHA-384, R and S as AMD's structures have them. False: OpenSSL
// failed.
bool SignMessage(EVP_PKEY* key, base::Bytes message,
                 std::span<uint8_t, kComponentSize> r,
                 std::span<uint8_t, kComponentSize> s);

// Signs [0, kReportSignedSize) of `report` with an elliptic-curve key and puts
// R and S into their fields. False: OpenSSL failed.
bool SignReport(EVP_PKEY* key, std::span<uint8_t, sev::kReportSize> report);

}  // namespace psp
