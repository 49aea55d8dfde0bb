// SPDX-License-Identifier: Apache-2.0
//
// What is wrong with the form of a report, all of it signed by a good key where
// that can be.
#include "sev/guest_policy.h"
#include "sev/reasons.h"
#include "sev/report.h"
#include "verifier/evidence/refusal.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

namespace layout = sev::report_layout;
using testing::Draft;
using testing::Exhibit;

// P-384's order, little-endian.
constexpr uint8_t kOrderLow[] = {
    0x73, 0x29, 0xC5, 0xCC, 0x6A, 0x19, 0xEC, 0xEC, 0x7A, 0xA7, 0xB0, 0x48,
    0xB2, 0x0D, 0x1A, 0x58, 0xDF, 0x2D, 0x37, 0xF4, 0x81, 0x4D, 0x63, 0xC7};

std::vector<uint8_t> Order() {
  std::vector<uint8_t> order(48, 0xFF);
  std::ranges::copy(kOrderLow, order.begin());
  return order;
}

std::function<Exhibit()> Field32(size_t at, uint32_t value,
                                 Subject subject = {}) {
  return Drafted([=](Draft& d) { d.PutReport32(at, value); }, subject);
}

std::function<Exhibit()> Policy(uint64_t value) {
  return Drafted(
      [=](Draft& d) { d.PutReport64(layout::Policy::kOffset, value); });
}

// Of the 72 bytes of R or S, the lower 48 become `value`.
std::function<Exhibit()> Number(size_t at, std::vector<uint8_t> value) {
  return Altered([=](Exhibit& e) {
    std::ranges::copy(value, e.report.begin() + static_cast<ptrdiff_t>(at));
  });
}

std::function<Exhibit()> Byte(size_t at, uint8_t value, Subject subject = {}) {
  return Drafted([=](Draft& d) { d.report[at] = value; }, subject);
}

constexpr uint64_t kGoodPolicy =
    sev::kPolicySmt | sev::kPolicyReservedMustBeOne;
constexpr Subject kVersion2 = {.report_version = 2};
constexpr Subject kVersion5 = {.report_version = 5};

}  // namespace

std::vector<Refusal> FormRefusals() {
  constexpr size_t kR = layout::SignatureR::kOffset;
  constexpr size_t kS = layout::SignatureS::kOffset;
  constexpr size_t kKeyInfo = layout::KeyInfo::kOffset;
  const std::vector<Check> range = {Check::kSignatureRange,
                                    Check::kReportSignature};
  return {
      {"ReportCut",
       {Check::kLength},
       sev::kReportWrongSize,
       Altered([](Exhibit& e) { e.report.pop_back(); })},
      {"ReportWithTail",
       {Check::kLength},
       sev::kReportWrongSize,
       Altered([](Exhibit& e) { e.report.push_back(0); })},
      {"ReportEmpty",
       {Check::kLength},
       sev::kReportWrongSize,
       Altered([](Exhibit& e) { e.report.clear(); })},
      {"VersionOne",
       {Check::kVersion},
       sev::kReportUnknownVersion,
       Field32(layout::Version::kOffset, 1, kVersion2)},
      {"VersionSix",
       {Check::kVersion},
       sev::kReportUnknownVersion,
       Field32(layout::Version::kOffset, 6)},
      {"SignatureAlgorithmZero",
       {Check::kSignatureAlgorithm},
       sev::kReportUnknownSignatureAlgorithm,
       Field32(layout::SignatureAlgorithm::kOffset, 0)},
      {"SignatureAlgorithmTwo",
       {Check::kSignatureAlgorithm},
       sev::kReportUnknownSignatureAlgorithm,
       Field32(layout::SignatureAlgorithm::kOffset, 2)},
      {"PolicyBit17Clear",
       {Check::kPolicyBit17},
       kReportPolicyReserved,
       Policy(sev::kPolicySmt)},
      {"PolicyBit26Set",
       {Check::kPolicyReserved},
       kReportPolicyBit,
       Policy(kGoodPolicy | uint64_t{1} << 26)},
      {"PolicyBit63Set",
       {Check::kPolicyReserved},
       kReportPolicyBit,
       Policy(kGoodPolicy | uint64_t{1} << 63)},
      {"KeyInfoBit5Set",
       {Check::kKeyInfoReserved},
       sev::kReportReservedNotZero,
       Field32(kKeyInfo, 1u << 5)},
      {"KeyInfoBit31Set",
       {Check::kKeyInfoReserved},
       sev::kReportReservedNotZero,
       Field32(kKeyInfo, 1u << 31)},
      {"Reserved04CSet",
       {Check::kReserved04C},
       sev::kReportReservedNotZero,
       Byte(layout::Reserved04C::kOffset + 3, 0x80)},
      {"ReservedAfterCpuidSet",
       {Check::kReserved},
       sev::kReportReservedNotZero,
       Byte(layout::Reserved18B::kOffset, 1)},
      {"ReservedOfVersionsSet",
       {Check::kReserved},
       sev::kReportReservedNotZero,
       Byte(layout::Reserved1EB::kOffset, 1)},
      {"ReservedBeforeSignatureSet",
       {Check::kReserved},
       sev::kReportReservedNotZero,
       Byte(layout::Reserved208::kEnd - 1, 1, kVersion5)},
      {"CpuidInVersionTwo",
       {Check::kReserved},
       sev::kReportReservedNotZero,
       Byte(layout::Cpuid::kOffset, 0x19, kVersion2)},
      {"MitigationsInVersionThree",
       {Check::kReserved},
       sev::kReportReservedNotZero,
       Byte(layout::LaunchMitigations::kOffset, 1)},
      {"BytesBehindSignature",
       {Check::kSignaturePadding},
       sev::kReportReservedNotZero,
       Altered([](Exhibit& e) { e.report.back() = 1; })},
      {"RLongerThan48Bytes",
       {Check::kSignaturePadding, Check::kSignatureRange,
        Check::kReportSignature},
       sev::kReportReservedNotZero,
       Altered([](Exhibit& e) { e.report[kR + 48] = 1; })},
      {"RZero", range, kReportSignatureRange,
       Number(kR, std::vector<uint8_t>(48, 0))},
      {"SZero", range, kReportSignatureRange,
       Number(kS, std::vector<uint8_t>(48, 0))},
      {"ROfTheOrder", range, kReportSignatureRange, Number(kR, Order())},
      {"SOfTheOrder", range, kReportSignatureRange, Number(kS, Order())},
      {"SignatureAllZero", range, kReportSignatureRange,
       Altered([](Exhibit& e) {
         std::fill(e.report.begin() + kR, e.report.end(), uint8_t{0});
       })},
      {"VmplFour",
       {Check::kVmpl},
       kReportVmplRange,
       Field32(layout::Vmpl::kOffset, 4)},
      {"VmplOfTheHost",
       {Check::kVmpl},
       kReportVmplRange,
       Field32(layout::Vmpl::kOffset, 0xFFFFFFFF)},
      {"ChipKeyMasked",
       {Check::kChipKeyNotMasked},
       kReportMasksChipKey,
       Field32(kKeyInfo, sev::kKeyInfoMaskChipKey)},
      {"SigningKeyNone",
       {Check::kSigningKey, Check::kLeafType},
       sev::kReportUnknownSigningKey,
       Field32(kKeyInfo, 7u << sev::kKeyInfoSigningKeyShift)},
      {"SigningKeyTwo",
       {Check::kSigningKey, Check::kLeafType},
       sev::kReportUnknownSigningKey,
       Field32(kKeyInfo, 2u << sev::kKeyInfoSigningKeyShift)},
      {"MeasurementChanged",
       {Check::kReportSignature},
       kReportSignature,
       Altered(
           [](Exhibit& e) { e.report[layout::Measurement::kOffset] ^= 1; })},
      {"SignedByAnotherKey",
       {Check::kReportSignature},
       kReportSignature,
       Altered([](Exhibit& e) {
         Draft other = testing::GoodDraft();
         other.report_signer = testing::OtherLeafKey();
         e.report = other.Sign().report;
       })},
  };
}

}  // namespace verifier
