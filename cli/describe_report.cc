// SPDX-License-Identifier: Apache-2.0
#include "cli/describe_report.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "sev/guest_policy.h"
#include "sev/platform_info.h"
#include "sev/tcb.h"
#include "verifier/evidence/checks.h"
#include "verifier/evidence/tcb_order.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using verifier::Check;
using verifier::ossl::Hex;

constexpr size_t kFieldWidth = 36;
constexpr size_t kBytesALine = 64;  // Digits of hex.

// What an appraisal calls them.
struct FaultCheck {
  sev::ReportFault fault;
  Check check;
};
constexpr FaultCheck kFaults[] = {
    {sev::ReportFault::kVersion, Check::kVersion},
    {sev::ReportFault::kSignatureAlgorithm, Check::kSignatureAlgorithm},
    {sev::ReportFault::kPolicyBit17, Check::kPolicyBit17},
    {sev::ReportFault::kPolicyReserved, Check::kPolicyReserved},
    {sev::ReportFault::kKeyInfoReserved, Check::kKeyInfoReserved},
    {sev::ReportFault::kReserved04C, Check::kReserved04C},
    {sev::ReportFault::kReserved, Check::kReserved},
    {sev::ReportFault::kSignaturePadding, Check::kSignaturePadding},
    {sev::ReportFault::kVmpl, Check::kVmpl},
    {sev::ReportFault::kChipKeyMasked, Check::kChipKeyNotMasked},
    {sev::ReportFault::kSigningKey, Check::kSigningKey},
};

std::string Raw(uint64_t value) { return absl::StrFormat("0x%016x", value); }

Json UnknownBits(uint64_t value, uint64_t known) {
  Json bits = Json::array();
  for (uint64_t rest = value & ~known; rest != 0; rest &= rest - 1) {
    bits.push_back(std::countr_zero(rest));
  }
  return bits;
}

// The bits that have names, and the numbers of those that are set without one.
void AddBits(Json& to, uint64_t value, std::span<const sev::NamedBit> names,
             uint64_t known = 0) {
  for (const sev::NamedBit& named : names) {
    to[std::string(named.name)] = (value & named.bit) != 0;
    known |= named.bit;
  }
  to["unknown_bits"] = UnknownBits(value, known);
}

Json DescribePolicy(uint64_t policy) {
  Json out = {{"raw", Raw(policy)},
              {"abi_major", sev::PolicyAbiMajor(policy)},
              {"abi_minor", sev::PolicyAbiMinor(policy)}};
  constexpr uint64_t kAbi = 0xFFFF;
  out["reserved_must_be_one"] = (policy & sev::kPolicyReservedMustBeOne) != 0;
  AddBits(out, policy, sev::kPolicyBits, kAbi | sev::kPolicyReservedMustBeOne);
  return out;
}

Json DescribePlatformInfo(uint64_t info) {
  Json out = {{"raw", Raw(info)}};
  AddBits(out, info, sev::kPlatformInfoBits);
  return out;
}

std::string NameOfKey(sev::SigningKey key) {
  switch (key) {
    case sev::SigningKey::kVcek:
      return "VCEK";
    case sev::SigningKey::kVlek:
      return "VLEK";
    case sev::SigningKey::kNone:
      return "none";
  }
  return absl::StrCat("unknown ", static_cast<int>(key));
}

Json DescribeKeyInfo(const sev::UnverifiedReport& report) {
  const uint32_t info = report.key_info();
  constexpr uint32_t kUsedBits = 0x1F;
  return {{"raw", absl::StrFormat("0x%08x", info)},
          {"author_key_enabled", (info & sev::kKeyInfoAuthorKeyEnabled) != 0},
          {"mask_chip_key", report.chip_key_masked()},
          {"signing_key", NameOfKey(report.signing_key())},
          {"unknown_bits", UnknownBits(info, kUsedBits)}};
}

Json DescribeVersion(const sev::FirmwareVersion& version) {
  return {{"major", version.major},
          {"minor", version.minor},
          {"build", version.build}};
}

Json DescribeCpuid(const std::optional<sev::CpuidFms>& cpuid) {
  if (!cpuid) return nullptr;
  return {{"family", absl::StrFormat("0x%02x", cpuid->family)},
          {"model", absl::StrFormat("0x%02x", cpuid->model)},
          {"stepping", absl::StrFormat("0x%02x", cpuid->stepping)},
          {"part", sev::PartNameOf(*cpuid)}};
}

Json Optional(const std::optional<uint64_t>& value) {
  return value ? Json(Raw(*value)) : Json(nullptr);
}

// R and S stand in the report with the lowest byte first.
std::string Number(base::Bytes little_endian) {
  std::vector<uint8_t> bytes(little_endian.rbegin(), little_endian.rend());
  // 48 bytes, or all 72 if the rest is not zero as it should be.
  constexpr size_t kScalar = 48;
  const size_t padding = bytes.size() - kScalar;
  if (base::AllZero(base::Bytes(bytes).first(padding))) {
    return Hex(base::Bytes(bytes).subspan(padding));
  }
  return Hex(bytes);
}

Json DescribeFaults(const sev::UnverifiedReport& report,
                    std::optional<sev::Product> product) {
  Json out = Json::array();
  const sev::ReportFaults faults = report.FindFaults();
  for (const FaultCheck& row : kFaults) {
    if (faults.Has(row.fault)) out.push_back(NameOf(row.check));
  }
  if (product && !verifier::PartsAboveCurrentTcb(report, *product).empty()) {
    out.push_back(NameOf(verifier::Check::kTcbNotAboveCurrent));
  }
  return out;
}

std::string ScalarText(const Json& value) {
  if (value.is_null()) return "not in this version";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const Json& item : value) items.push_back(ScalarText(item));
    return items.empty() ? "none" : absl::StrJoin(items, ", ");
  }
  return value.dump();
}

void AddRow(std::string* text, std::string_view name, std::string_view value) {
  const std::string left(name);
  size_t at = 0;
  do {
    absl::StrAppendFormat(text, "%-*s%s\n", static_cast<int>(kFieldWidth),
                          at == 0 ? left : "", value.substr(at, kBytesALine));
    at += kBytesALine;
  } while (at < value.size());
}

// An object whose values are all numbers, or hex of them, fits one line.
bool FitsOneLine(const Json& object) {
  return std::ranges::none_of(object, [](const Json& value) {
    return value.is_boolean() || value.is_array() || value.is_null();
  });
}

void AddRows(std::string* text, const Json& object, std::string_view indent) {
  for (const auto& [key, value] : object.items()) {
    const std::string name = absl::StrCat(indent, key);
    if (!value.is_object()) {
      AddRow(text, name, ScalarText(value));
    } else if (key == "signature") {
      AddRows(text, value, "signature_");
    } else if (FitsOneLine(value)) {
      std::vector<std::string> parts;
      for (const auto& [part, of_part] : value.items()) {
        parts.push_back(
            absl::StrCat(part == "raw" ? "" : part + " ", ScalarText(of_part)));
      }
      absl::StrAppendFormat(text, "%-*s%s\n", static_cast<int>(kFieldWidth),
                            name, absl::StrJoin(parts, ", "));
    } else {
      Json rest = value;
      AddRow(text, name, ScalarText(rest["raw"]));
      rest.erase("raw");
      AddRows(text, rest, absl::StrCat(indent, "  "));
    }
  }
}

}  // namespace

Json DescribeTcb(uint64_t raw, sev::Product product) {
  const sev::Tcb tcb = sev::DecodeTcb(raw, product);
  Json out = {{"raw", Raw(raw)}};
  if (product == sev::Product::kTurin) out["fmc"] = tcb.fmc;
  out["boot_loader"] = tcb.boot_loader;
  out["tee"] = tcb.tee;
  out["snp"] = tcb.snp;
  out["microcode"] = tcb.microcode;
  return out;
}

Json DescribeReport(const sev::UnverifiedReport& report,
                    std::optional<sev::Product> product) {
  const auto cpuid = report.cpuid();
  if (!product && cpuid) product = sev::ProductOf(*cpuid);
  // Milan and Genoa have one layout.
  if (!product && !cpuid) product = sev::Product::kMilan;
  const auto tcb = [&](uint64_t raw) {
    return product ? DescribeTcb(raw, *product) : Json({{"raw", Raw(raw)}});
  };
  return {
      {"version", report.version()},
      {"newer_than_known", report.version() > sev::kReportMaxVersion},
      {"guest_svn", report.guest_svn()},
      {"policy", DescribePolicy(report.policy())},
      {"family_id", Hex(report.family_id())},
      {"image_id", Hex(report.image_id())},
      {"vmpl", report.vmpl()},
      {"signature_algorithm", report.signature_algorithm()},
      {"current_tcb", tcb(report.current_tcb())},
      {"platform_info", DescribePlatformInfo(report.platform_info())},
      {"key_info", DescribeKeyInfo(report)},
      {"report_data", Hex(report.report_data())},
      {"measurement", Hex(report.measurement())},
      {"host_data", Hex(report.host_data())},
      {"id_key_digest", Hex(report.id_key_digest())},
      {"author_key_digest", Hex(report.author_key_digest())},
      {"report_id", Hex(report.report_id())},
      {"report_id_ma", Hex(report.report_id_ma())},
      {"reported_tcb", tcb(report.reported_tcb())},
      {"cpuid", DescribeCpuid(cpuid)},
      {"chip_id", Hex(report.chip_id())},
      {"committed_tcb", tcb(report.committed_tcb())},
      {"current_version", DescribeVersion(report.current_version())},
      {"committed_version", DescribeVersion(report.committed_version())},
      {"launch_tcb", tcb(report.launch_tcb())},
      {"launch_mitigations", Optional(report.launch_mitigations())},
      {"current_mitigations", Optional(report.current_mitigations())},
      {"signature",
       {{"r", Number(report.signature_r())},
        {"s", Number(report.signature_s())}}},
      {"faults", DescribeFaults(report, product)},
  };
}

std::string ReportTable(const Json& description) {
  std::string text;
  AddRows(&text, description, "");
  return text;
}

std::string ToText(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace cli
