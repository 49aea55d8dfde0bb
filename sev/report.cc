// SPDX-License-Identifier: Apache-2.0
#include "sev/report.h"

#include <string.h>

#include "sev/guest_policy.h"
#include "sev/reasons.h"

namespace sev {
namespace {

constexpr unsigned kKeyInfoUsedBits = 5;
constexpr size_t kP384Bytes = 48;

base::Status Malformed(base::Reason reason) {
  return base::Status(base::Code::kDataLoss, reason);
}

FirmwareVersion VersionFrom(std::span<const uint8_t, 3> field) {
  return {.build = field[0], .minor = field[1], .major = field[2]};
}

}  // namespace

base::Result<UnverifiedReport> UnverifiedReport::FromBytes(base::Bytes bytes) {
  if (bytes.size() != kSize) return Malformed(kReportWrongSize);
  UnverifiedReport report;
  memcpy(report.raw_.data(), bytes.data(), kSize);
  return report;
}

ReportFaults UnverifiedReport::FindFaults() const {
  namespace layout = report_layout;
  using Fault = ReportFault;
  const uint32_t v = version();
  ReportFaults faults;
  faults.Add(Fault::kVersion, v < kReportMinVersion || v > kReportMaxVersion);
  faults.Add(Fault::kSignatureAlgorithm,
             signature_algorithm() != kSignatureEcdsaP384Sha384);
  faults.Add(Fault::kPolicyBit17, (policy() & kPolicyReservedMustBeOne) == 0);
  faults.Add(Fault::kPolicyReserved, (policy() & ~kPolicyKnownBits) != 0);
  faults.Add(Fault::kKeyInfoReserved, (key_info() >> kKeyInfoUsedBits) != 0);
  faults.Add(Fault::kReserved04C, !base::AllZero(View<layout::Reserved04C>()));
  const bool reserved_is_zero =
      (v >= 3 || base::AllZero(View<layout::Cpuid>())) &&
      base::AllZero(View<layout::Reserved18B>()) &&
      base::AllZero(View<layout::Reserved1EB>()) &&
      base::AllZero(View<layout::Reserved1EF>()) &&
      (v >= 5 || (base::AllZero(View<layout::LaunchMitigations>()) &&
                  base::AllZero(View<layout::CurrentMitigations>()))) &&
      base::AllZero(View<layout::Reserved208>());
  faults.Add(Fault::kReserved, !reserved_is_zero);
  faults.Add(Fault::kSignaturePadding,
             !base::AllZero(View<layout::SignatureReserved>()) ||
                 !base::AllZero(signature_r().subspan(kP384Bytes)) ||
                 !base::AllZero(signature_s().subspan(kP384Bytes)));
  faults.Add(Fault::kVmpl, vmpl() > 3);
  faults.Add(Fault::kChipKeyMasked,
             chip_key_masked() && signing_key() != SigningKey::kVlek);
  faults.Add(Fault::kSigningKey, signing_key() != SigningKey::kVcek &&
                                     signing_key() != SigningKey::kVlek);
  return faults;
}

base::Result<UnverifiedReport> UnverifiedReport::Parse(base::Bytes bytes) {
  BASE_TRY_ASSIGN(const UnverifiedReport report, FromBytes(bytes));
  const ReportFaults faults = report.FindFaults();
  if (faults.Has(ReportFault::kVersion)) {
    return Malformed(kReportUnknownVersion);
  }
  if (faults.Has(ReportFault::kSignatureAlgorithm)) {
    return Malformed(kReportUnknownSignatureAlgorithm);
  }
  if (faults.Has(ReportFault::kReserved04C) ||
      faults.Has(ReportFault::kReserved) ||
      faults.Has(ReportFault::kKeyInfoReserved) ||
      faults.Has(ReportFault::kSignaturePadding)) {
    return Malformed(kReportReservedNotZero);
  }
  // An unsigned report is well formed; who needs a signature looks for one.
  if (faults.Has(ReportFault::kSigningKey) &&
      report.signing_key() != SigningKey::kNone) {
    return Malformed(kReportUnknownSigningKey);
  }
  return report;
}

SigningKey UnverifiedReport::signing_key() const {
  return static_cast<SigningKey>((key_info() >> kKeyInfoSigningKeyShift) & 7);
}

bool UnverifiedReport::chip_key_masked() const {
  return (key_info() & kKeyInfoMaskChipKey) != 0;
}

std::optional<CpuidFms> UnverifiedReport::cpuid() const {
  if (version() < 3) return std::nullopt;
  const auto fms = View<report_layout::Cpuid>();
  return CpuidFms{.family = fms[0], .model = fms[1], .stepping = fms[2]};
}

std::optional<uint64_t> UnverifiedReport::launch_mitigations() const {
  if (version() < 5) return std::nullopt;
  return Le<uint64_t, report_layout::LaunchMitigations>();
}

std::optional<uint64_t> UnverifiedReport::current_mitigations() const {
  if (version() < 5) return std::nullopt;
  return Le<uint64_t, report_layout::CurrentMitigations>();
}

FirmwareVersion UnverifiedReport::current_version() const {
  return VersionFrom(View<report_layout::CurrentVersion>());
}

FirmwareVersion UnverifiedReport::committed_version() const {
  return VersionFrom(View<report_layout::CommittedVersion>());
}

}  // namespace sev
