// SPDX-License-Identifier: Apache-2.0
//
// Report and certificates that are good by themselves but do not belong
// together, and leaves without what AMD's have.
#include <string_view>

#include "sev/guest_policy.h"
#include "sev/report.h"
#include "verifier/evidence/refusal.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

namespace layout = sev::report_layout;
using psp::AmdExtension;
using psp::Der;
using psp::DerIa5String;
using psp::DerInteger;
using testing::Draft;
using testing::Exhibit;

std::function<Exhibit()> Without(std::string_view arc, Subject subject = {}) {
  return Drafted([arc](Draft& d) { d.leaf.Remove(arc); }, subject);
}

std::function<Exhibit()> With(std::string_view arc, Der value,
                              Subject subject = {}) {
  return Drafted(
      [=](Draft& d) {
        AmdExtension* extension = d.leaf.Find(arc);
        if (extension == nullptr) {
          d.leaf.extensions.push_back({std::string(arc), value});
        } else {
          extension->value = value;
        }
      },
      subject);
}

std::function<Exhibit()> Twice(std::string_view arc, Subject subject = {}) {
  return Drafted(
      [arc](Draft& d) {
        const AmdExtension extension = *d.leaf.Find(arc);
        d.leaf.extensions.push_back(extension);
      },
      subject);
}

// One byte of REPORTED_TCB, on firmware that runs the highest.
std::function<Exhibit()> Tcb(size_t index, uint8_t value,
                             Subject subject = {}) {
  return Drafted(
      [=](Draft& d) {
        d.report[layout::CurrentTcb::kOffset + index] = 0xFF;
        d.report[layout::ReportedTcb::kOffset + index] = value;
      },
      subject);
}

// One byte of CURRENT_TCB.
std::function<Exhibit()> CurrentTcb(size_t index, uint8_t value,
                                    Subject subject = {}) {
  return Drafted(
      [=](Draft& d) { d.report[layout::CurrentTcb::kOffset + index] = value; },
      subject);
}

// One byte of COMMITTED_TCB.
std::function<Exhibit()> CommittedTcb(size_t index, uint8_t value,
                                      Subject subject = {}) {
  return Drafted(
      [=](Draft& d) {
        d.report[layout::CommittedTcb::kOffset + index] = value;
      },
      subject);
}

void PutCpuid(Draft& draft, const sev::CpuidFms& cpuid) {
  const uint8_t bytes[] = {cpuid.family, cpuid.model, cpuid.stepping};
  draft.PutReport(layout::Cpuid::kOffset, bytes);
}

std::function<Exhibit()> Cpuid(sev::CpuidFms cpuid) {
  return Drafted([=](Draft& d) { PutCpuid(d, cpuid); });
}

std::function<Exhibit()> SigningKey(sev::SigningKey key, Subject subject) {
  return Drafted(
      [=](Draft& d) {
        d.PutReport32(layout::KeyInfo::kOffset,
                      static_cast<uint32_t>(key)
                          << sev::kKeyInfoSigningKeyShift);
      },
      subject);
}

std::function<Exhibit()> ChipId(size_t index) {
  return Drafted(
      [=](Draft& d) { d.report[layout::ChipId::kOffset + index] ^= 1; },
      kTurinVcek);
}

void Add(std::vector<Refusal>& rows, std::string_view name, Check check,
         std::string_view arc, Subject subject = {}) {
  const auto row = [&](const char* prefix, base::Reason reason, auto make) {
    rows.push_back({prefix + std::string(name), {check}, reason, make});
  };
  row("No", kVcekExtensionMissing, Without(arc, subject));
  row("Two", kVcekExtensionMalformed, Twice(arc, subject));
  row("Malformed", kVcekExtensionMalformed, With(arc, {0x02}, subject));
}

}  // namespace

std::vector<Refusal> BindingRefusals() {
  std::vector<Refusal> rows = {
      {"VlekReportUnderVcek",
       {Check::kLeafType, Check::kVlekNoHardwareId, Check::kVlekCspId},
       kReportSigningKey,
       SigningKey(sev::SigningKey::kVlek, {})},
      {"VcekReportUnderVlek",
       {Check::kLeafType, Check::kHardwareIdPresent},
       kReportSigningKey,
       SigningKey(sev::SigningKey::kVcek, kMilanVlek)},
      {"GenoaReportUnderMilan",
       {Check::kProductLine},
       kReportProductMismatch,
       Cpuid(psp::kGenoa.cpuid)},
      {"TurinReportUnderMilan",
       {Check::kProductLine},
       kReportProductMismatch,
       Cpuid(psp::kTurin.cpuid)},
      {"ReportOfUnknownProcessor",
       {Check::kProductLine},
       kReportProduct,
       Cpuid({0x17, 0x31, 0})},
      {"StructVersionOneOnMilan",
       {Check::kStructVersion},
       kVcekStructVersion,
       With("1", DerInteger(1))},
      {"StructVersionZeroOnTurin",
       {Check::kStructVersion},
       kVcekStructVersion,
       With("1", DerInteger(0), kTurinVcek)},
      {"ProductNameOfAnother",
       {Check::kProductName},
       kVcekProductName,
       With("2", DerIa5String("Genoa"))},
      {"ProductNameUnknown",
       {Check::kProductName},
       kVcekProductName,
       With("2", DerIa5String("Milano"))},
      {"OtherBootLoader",
       {Check::kTcbBootLoader},
       kVcekTcbMismatch,
       Tcb(0, psp::kMilan.tcb.boot_loader + 1)},
      {"OlderSnp",
       {Check::kTcbSnp},
       kVcekTcbMismatch,
       Tcb(6, psp::kMilan.tcb.snp - 1)},
      {"OtherTee", {Check::kTcbTee}, kVcekTcbMismatch, Tcb(1, 1)},
      {"OtherMicrocode",
       {Check::kTcbMicrocode},
       kVcekTcbMismatch,
       Tcb(7, psp::kMilan.tcb.microcode - 1)},
      {"ReservedTcbByte", {Check::kTcbSnp}, kVcekTcbMismatch, Tcb(3, 1)},
      {"OtherFmcOnTurin",
       {Check::kTcbFmc},
       kVcekTcbMismatch,
       Tcb(0, psp::kTurin.tcb.fmc + 1, kTurinVcek)},
      {"OtherBootLoaderOnTurin",
       {Check::kTcbBootLoader},
       kVcekTcbMismatch,
       Tcb(1, psp::kTurin.tcb.boot_loader + 1, kTurinVcek)},
      {"OtherTeeOnTurin",
       {Check::kTcbTee},
       kVcekTcbMismatch,
       Tcb(2, psp::kTurin.tcb.tee + 1, kTurinVcek)},
      {"OtherSnpOnTurin",
       {Check::kTcbSnp},
       kVcekTcbMismatch,
       Tcb(3, psp::kTurin.tcb.snp + 1, kTurinVcek)},
      {"ReservedTcbByteOnTurin",
       {Check::kTcbSnp},
       kVcekTcbMismatch,
       Tcb(5, 1, kTurinVcek)},
      {"VlekOfAnotherTcb",
       {Check::kTcbSnp},
       kVcekTcbMismatch,
       Tcb(6, psp::kMilan.tcb.snp + 1, kMilanVlek)},
      {"ReportedAboveCurrent",
       {Check::kTcbNotAboveCurrent},
       kReportTcbAboveCurrent,
       CurrentTcb(6, psp::kMilan.tcb.snp - 1)},
      {"ReportedAboveCurrentOnTurin",
       {Check::kTcbNotAboveCurrent},
       kReportTcbAboveCurrent,
       CurrentTcb(0, psp::kTurin.tcb.fmc - 1, kTurinVcek)},
      {"ReportedAboveCurrentUnderVlek",
       {Check::kTcbNotAboveCurrent},
       kReportTcbAboveCurrent,
       CurrentTcb(0, psp::kMilan.tcb.boot_loader - 1, kMilanVlek)},
      {"CommittedAboveCurrent",
       {Check::kTcbNotAboveCurrent},
       kReportTcbAboveCurrent,
       CommittedTcb(7, psp::kMilan.tcb.microcode + 1)},
      {"CommittedAboveCurrentOnTurin",
       {Check::kTcbNotAboveCurrent},
       kReportTcbAboveCurrent,
       CommittedTcb(3, psp::kTurin.tcb.snp + 1, kTurinVcek)},
      {"NoHardwareId",
       {Check::kHardwareIdPresent},
       kVcekExtensionMissing,
       Without("4")},
      {"TwoHardwareIds",
       {Check::kHardwareIdPresent},
       kVcekExtensionMalformed,
       Twice("4")},
      {"HardwareIdOfEightBytesOnMilan",
       {Check::kHardwareIdLength, Check::kHardwareIdEqualsChipId},
       kVcekHardwareIdLength,
       With("4", Der(8, 0xC0))},
      {"HardwareIdOf64BytesOnTurin",
       {Check::kHardwareIdLength},
       kVcekHardwareIdLength,
       Drafted(
           [](Draft& d) {
             const auto chip_id = std::span(d.report).subspan(
                 layout::ChipId::kOffset, layout::ChipId::kSize);
             d.leaf.Find("4")->value.assign(chip_id.begin(), chip_id.end());
           },
           kTurinVcek)},
      {"TwiceWrappedHardwareId",
       {Check::kHardwareIdLength, Check::kHardwareIdEqualsChipId},
       kVcekHardwareIdLength,
       Drafted([](Draft& d) {
         Der& value = d.leaf.Find("4")->value;
         value = psp::DerOctetString(psp::DerOctetString(value));
       })},
      {"WrappedHardwareIdOfEightBytesOnMilan",
       {Check::kHardwareIdLength, Check::kHardwareIdEqualsChipId},
       kVcekHardwareIdLength,
       With("4", psp::DerOctetString(Der(8, 0xC0)))},
      {"WrappedHardwareIdOfAnotherChip",
       {Check::kHardwareIdEqualsChipId},
       kVcekChipIdMismatch,
       Drafted([](Draft& d) {
         Der& value = d.leaf.Find("4")->value;
         value[63] ^= 1;
         value = psp::DerOctetString(value);
       })},
      {"OtherChip",
       {Check::kHardwareIdEqualsChipId},
       kVcekChipIdMismatch,
       Drafted([](Draft& d) { d.leaf.Find("4")->value[63] ^= 1; })},
      {"OtherChipOnTurin",
       {Check::kHardwareIdEqualsChipId},
       kVcekChipIdMismatch,
       ChipId(7)},
      {"TailOfChipIdOnTurin",
       {Check::kHardwareIdEqualsChipId},
       kVcekChipIdMismatch,
       ChipId(8)},
      {"MaskedChipId",
       {Check::kHardwareIdEqualsChipId},
       kReportChipIdMasked,
       Drafted([](Draft& d) {
         d.PutReport(layout::ChipId::kOffset, std::vector<uint8_t>(64, 0));
       })},
      {"VlekWithHardwareId",
       {Check::kVlekNoHardwareId},
       kVlekHardwareId,
       With("4", Der(64, 1), kMilanVlek)},
      {"NoCspId",
       {Check::kVlekCspId},
       kVlekCspIdMissing,
       Without("5", kMilanVlek)},
      {"EmptyCspId",
       {Check::kVlekCspId},
       kVlekCspIdMissing,
       With("5", DerIa5String(""), kMilanVlek)},
      {"TwoCspIds",
       {Check::kVlekCspId},
       kVcekExtensionMalformed,
       Twice("5", kMilanVlek)},
  };
  Add(rows, "StructVersion", Check::kStructVersion, "1");
  Add(rows, "ProductName", Check::kProductName, "2");
  Add(rows, "BootLoaderSpl", Check::kTcbBootLoader, "3.1");
  Add(rows, "TeeSpl", Check::kTcbTee, "3.2");
  Add(rows, "SnpSpl", Check::kTcbSnp, "3.3");
  Add(rows, "MicrocodeSpl", Check::kTcbMicrocode, "3.8");
  Add(rows, "FmcSpl", Check::kTcbFmc, "3.9", kTurinVcek);
  return rows;
}

}  // namespace verifier
