// SPDX-License-Identifier: Apache-2.0
#include "sev/report.h"

#include <string.h>

#include "sev/reasons.h"

namespace sev {
namespace {

constexpr uint32_t kMinVersion = 2;
constexpr uint32_t kMaxVersion = 5;
constexpr unsigned kKeyInfoUsedBits = 5;

base::Status Malformed(base::Reason reason) {
  return base::Status(base::Code::kDataLoss, reason);
}

FirmwareVersion VersionFrom(std::span<const uint8_t, 3> field) {
  return {.build = field[0], .minor = field[1], .major = field[2]};
}

}  // namespace

base::Result<UnverifiedReport> UnverifiedReport::Parse(base::Bytes bytes) {
  namespace layout = report_layout;
  if (bytes.size() != kSize) return Malformed(kReportWrongSize);

  UnverifiedReport report;
  memcpy(report.raw_.data(), bytes.data(), kSize);

  if (report.version() < kMinVersion || report.version() > kMaxVersion) {
    return Malformed(kReportUnknownVersion);
  }
  if (report.Le<uint32_t, layout::SignatureAlgorithm>() !=
      kSignatureEcdsaP384Sha384) {
    return Malformed(kReportUnknownSignatureAlgorithm);
  }
  const bool reserved_is_zero =
      base::AllZero(report.View<layout::Reserved04C>()) &&
      (report.version() >= 3 || base::AllZero(report.View<layout::Cpuid>())) &&
      base::AllZero(report.View<layout::Reserved18B>()) &&
      base::AllZero(report.View<layout::Reserved1EB>()) &&
      base::AllZero(report.View<layout::Reserved1EF>()) &&
      (report.version() >= 5 ||
       (base::AllZero(report.View<layout::LaunchMitigations>()) &&
        base::AllZero(report.View<layout::CurrentMitigations>()))) &&
      base::AllZero(report.View<layout::Reserved208>()) &&
      base::AllZero(report.View<layout::SignatureReserved>()) &&
      (report.Le<uint32_t, layout::KeyInfo>() >> kKeyInfoUsedBits) == 0;
  if (!reserved_is_zero) return Malformed(kReportReservedNotZero);

  switch (report.signing_key()) {
    case SigningKey::kVcek:
    case SigningKey::kVlek:
    case SigningKey::kNone:
      return report;
  }
  return Malformed(kReportUnknownSigningKey);
}

SigningKey UnverifiedReport::signing_key() const {
  const uint32_t info = Le<uint32_t, report_layout::KeyInfo>();
  return static_cast<SigningKey>((info >> kKeyInfoSigningKeyShift) & 7);
}

bool UnverifiedReport::chip_key_masked() const {
  return (Le<uint32_t, report_layout::KeyInfo>() & kKeyInfoMaskChipKey) != 0;
}

std::optional<CpuidFms> UnverifiedReport::cpuid() const {
  if (version() < 3) return std::nullopt;
  const auto fms = View<report_layout::Cpuid>();
  return CpuidFms{.family = fms[0], .model = fms[1], .stepping = fms[2]};
}

FirmwareVersion UnverifiedReport::current_version() const {
  return VersionFrom(View<report_layout::CurrentVersion>());
}

FirmwareVersion UnverifiedReport::committed_version() const {
  return VersionFrom(View<report_layout::CommittedVersion>());
}

}  // namespace sev
