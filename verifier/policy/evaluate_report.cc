// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "verifier/evidence/tcb_order.h"
#include "verifier/policy/condition_list.h"
#include "verifier/policy/evaluate.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr uint64_t kUnknownPolicyBits = ~sev::kPolicyKnownBits;

// A field of the report, if there is a report.
template <size_t kSize>
std::optional<std::array<uint8_t, kSize>> Copied(
    const Facts& facts,
    std::span<const uint8_t, kSize> (*field)(const sev::UnverifiedReport&)) {
  if (!facts.evidence.report) return std::nullopt;
  std::array<uint8_t, kSize> out;
  std::ranges::copy(field(*facts.evidence.report), out.begin());
  return out;
}

template <typename T, typename ToText>
void JudgeOneOf(const OneOf<T>& rule, std::string_view field,
                base::Reason reason, const std::optional<T>& seen, ToText text,
                ConditionList& out) {
  if (rule.any) return out.Off(field, reason);
  const std::string allowed = Listed(rule.values, text);
  if (!seen) return out.Unknown(field, reason, allowed);
  out.Add(field, reason, rule.Allows(*seen), text(*seen), allowed);
}

void JudgeLaunch(const Policy& policy, const Facts& facts, ConditionList& out) {
  using Report = sev::UnverifiedReport;
  const auto hex = [](const auto& bytes) { return ossl::Hex(bytes); };
  const auto image = [&](const ossl::Digest384& digest) {
    for (const auto& [name, value] : policy.images) {
      if (value == digest) {
        return absl::StrCat(ossl::Hex(digest), " (image:", name, ")");
      }
    }
    return ossl::Hex(digest);
  };
  JudgeOneOf(policy.measurement, "launch.measurement", kMeasurementNotAllowed,
             Copied<48>(facts, [](const Report& r) { return r.measurement(); }),
             image, out);
  JudgeOneOf(
      policy.id_key_digest, "launch.id_key_digest", kIdKeyNotAllowed,
      Copied<48>(facts, [](const Report& r) { return r.id_key_digest(); }), hex,
      out);
  JudgeOneOf(
      policy.author_key_digest, "launch.author_key_digest",
      kAuthorKeyNotAllowed,
      Copied<48>(facts, [](const Report& r) { return r.author_key_digest(); }),
      hex, out);
  JudgeOneOf(policy.family_id, "launch.family_id", kFamilyIdNotAllowed,
             Copied<16>(facts, [](const Report& r) { return r.family_id(); }),
             hex, out);
  JudgeOneOf(policy.image_id, "launch.image_id", kImageIdNotAllowed,
             Copied<16>(facts, [](const Report& r) { return r.image_id(); }),
             hex, out);
  JudgeOneOf(policy.host_data, "launch.host_data", kHostDataNotAllowed,
             Copied<32>(facts, [](const Report& r) { return r.host_data(); }),
             hex, out);
  constexpr std::string_view kSvn = "launch.minimum_guest_svn";
  if (policy.minimum_guest_svn.any) return out.Off(kSvn, kGuestSvnTooLow);
  const uint32_t least = policy.minimum_guest_svn.value;
  const std::string allowed = absl::StrCat(least, " or more");
  if (!facts.evidence.report) {
    return out.Unknown(kSvn, kGuestSvnTooLow, allowed);
  }
  const uint32_t seen = facts.evidence.report->guest_svn();
  out.Add(kSvn, kGuestSvnTooLow, seen >= least, absl::StrCat(seen), allowed);
}

template <size_t kBits>
void JudgeBits(const std::array<BitRule, kBits>& rules,
               const sev::NamedBit (&bits)[kBits], std::string_view table,
               base::Reason reason, const std::optional<uint64_t>& seen,
               ConditionList& out) {
  for (size_t i = 0; i < kBits; ++i) {
    const std::string field = absl::StrCat(table, ".", bits[i].name);
    if (rules[i] == BitRule::kAny) {
      out.Off(field, reason);
      continue;
    }
    const bool wanted = rules[i] == BitRule::kRequired;
    const std::string allowed = wanted ? "set" : "clear";
    if (!seen) {
      out.Unknown(field, reason, allowed);
      continue;
    }
    const bool is_set = (*seen & bits[i].bit) != 0;
    out.Add(field, reason, is_set == wanted, is_set ? "set" : "clear", allowed);
  }
}

void JudgeGuestPolicy(const Policy& policy, const Facts& facts,
                      ConditionList& out) {
  std::optional<uint64_t> seen;
  if (facts.evidence.report) seen = facts.evidence.report->policy();
  JudgeBits(policy.guest_policy, sev::kPolicyBits, "guest_policy",
            kGuestPolicyNotAllowed, seen, out);
  constexpr std::string_view kAbi = "guest_policy.minimum_abi";
  const auto text = [](const AbiVersion& abi) {
    return absl::StrCat(abi.major, ".", abi.minor);
  };
  if (policy.minimum_abi.any) {
    out.Off(kAbi, kGuestAbiTooLow);
  } else {
    const AbiVersion least = policy.minimum_abi.value;
    const std::string allowed = absl::StrCat(text(least), " or more");
    if (seen) {
      const AbiVersion abi = {sev::PolicyAbiMajor(*seen),
                              sev::PolicyAbiMinor(*seen)};
      out.Add(kAbi, kGuestAbiTooLow, abi >= least, text(abi), allowed);
    } else {
      out.Unknown(kAbi, kGuestAbiTooLow, allowed);
    }
  }
  constexpr std::string_view kUnknown = "guest_policy.unknown_bits";
  const auto mask = [](uint64_t bits) {
    return bits == 0 ? std::string("none") : absl::StrFormat("%#x", bits);
  };
  if (seen) {
    const uint64_t unknown = *seen & kUnknownPolicyBits;
    out.Add(kUnknown, kGuestPolicyNotAllowed,
            (unknown & ~policy.guest_policy_bits) == 0, mask(unknown),
            mask(policy.guest_policy_bits));
  } else {
    out.Unknown(kUnknown, kGuestPolicyNotAllowed,
                mask(policy.guest_policy_bits));
  }
}

void JudgeVlek(const VlekRule& rule, const Facts& facts, ConditionList& out) {
  constexpr std::string_view kField = "signer.vlek";
  if (rule.kind == VlekRule::Kind::kAny)
    return out.Off(kField, kVlekNotAllowed);
  const std::string allowed =
      rule.kind == VlekRule::Kind::kRefused
          ? "a VCEK"
          : absl::StrCat(
                "a VCEK, or a VLEK of ",
                Listed(rule.csp_ids, [](const std::string& id) { return id; }));
  if (!facts.evidence.signer)
    return out.Unknown(kField, kVlekNotAllowed, allowed);
  const bool vlek = *facts.evidence.signer == SignerKind::kVlek;
  const bool named = rule.kind == VlekRule::Kind::kCspIds &&
                     std::find(rule.csp_ids.begin(), rule.csp_ids.end(),
                               facts.evidence.csp_id) != rule.csp_ids.end();
  out.Add(kField, kVlekNotAllowed, !vlek || named,
          vlek ? absl::StrCat("a VLEK of ", facts.evidence.csp_id) : "a VCEK",
          allowed);
}

// A list of chips means nothing where the host hides which one it is.
void JudgeChips(const Policy& policy, const Facts& facts, ConditionList& out) {
  constexpr std::string_view kAllowed = "signer.chips";
  constexpr std::string_view kDenied = "signer.chips_denied";
  const auto hex = [](const ChipId& chip) { return ossl::Hex(chip); };
  const auto chip = Copied<64>(
      facts, [](const sev::UnverifiedReport& r) { return r.chip_id(); });
  const bool masked = chip && *chip == ChipId{};
  const std::string seen = masked ? "a masked chip id"
                           : chip ? ossl::Hex(*chip)
                                  : "nothing";
  if (policy.chips.any) {
    out.Off(kAllowed, kChipNotAllowed);
  } else if (!chip) {
    out.Unknown(kAllowed, kChipNotAllowed, Listed(policy.chips.values, hex));
  } else {
    out.Add(kAllowed, masked ? kChipMasked : kChipNotAllowed,
            !masked && policy.chips.Allows(*chip), seen,
            Listed(policy.chips.values, hex));
  }
  const std::string allowed =
      absl::StrCat("all but ", Listed(policy.chips_denied, hex));
  if (policy.chips_denied.empty()) {
    out.Off(kDenied, kChipDenied);
  } else if (!chip) {
    out.Unknown(kDenied, kChipDenied, allowed);
  } else {
    const bool denied =
        std::find(policy.chips_denied.begin(), policy.chips_denied.end(),
                  *chip) != policy.chips_denied.end();
    out.Add(kDenied, masked ? kChipMasked : kChipDenied, !masked && !denied,
            seen, allowed);
  }
}

std::string TcbText(const sev::Tcb& tcb, sev::Product product) {
  return absl::StrCat(product == sev::Product::kTurin
                          ? absl::StrCat("fmc ", tcb.fmc, ", ")
                          : "",
                      "boot_loader ", tcb.boot_loader, ", tee ", tcb.tee,
                      ", snp ", tcb.snp, ", microcode ", tcb.microcode);
}

void JudgeFloor(const TcbFloor& floor, const std::string& field,
                base::Reason reason, const Facts& facts, uint64_t raw,
                sev::Product product, ConditionList& out) {
  if (floor.any) return out.Off(field, reason);
  const std::string allowed =
      absl::StrCat("at least ", TcbText(floor.value, product));
  if (!facts.evidence.report) return out.Unknown(field, reason, allowed);
  const sev::Tcb seen = sev::DecodeTcb(raw, product);
  out.Add(field, reason, sev::AtLeast(seen, floor.value),
          TcbText(seen, product), allowed);
}

void JudgeTcbOrder(const Policy& policy, const Facts& facts,
                   sev::Product product, ConditionList& out) {
  constexpr std::string_view kField = "tcb_above_current";
  constexpr base::Reason kReason = kTcbAboveCurrentNotAllowed;
  if (policy.tcb_above_current) return out.Off(kField, kReason);
  if (!facts.evidence.report) return out.Unknown(kField, kReason, "none");
  const auto above = PartsAboveCurrentTcb(*facts.evidence.report, product);
  out.Add(kField, kReason, above.empty(),
          above.empty() ? "none" : absl::StrJoin(above, "; "), "none");
}

void JudgeProduct(const Policy& policy, const Facts& facts,
                  ConditionList& out) {
  const auto name = [](const ProductRule& rule) {
    return std::string(sev::NameOf(rule.product));
  };
  const std::string allowed = Listed(policy.products, name);
  if (!facts.evidence.product) {
    return out.Unknown("products", kProductNotAllowed, allowed);
  }
  const sev::Product product = *facts.evidence.product;
  JudgeTcbOrder(policy, facts, product, out);
  const ProductRule* rule = policy.RuleFor(product);
  out.Add("products", kProductNotAllowed, rule != nullptr,
          std::string(sev::NameOf(product)), allowed);
  if (rule == nullptr) return;  // And so no floor is written for it.
  const auto& report = facts.evidence.report;
  const std::string table = absl::StrCat("minimum_tcb.", WordOf(product), ".");
  JudgeFloor(rule->reported, table + "reported", kReportedTcbTooOld, facts,
             !report ? 0 : report->reported_tcb(), product, out);
  JudgeFloor(rule->committed, table + "committed", kCommittedTcbTooOld, facts,
             !report ? 0 : report->committed_tcb(), product, out);
  JudgeFloor(rule->launch, table + "launch", kLaunchTcbTooOld, facts,
             !report ? 0 : report->launch_tcb(), product, out);
}

}  // namespace

void JudgeReport(const Policy& policy, const Facts& facts, ConditionList& out) {
  JudgeProduct(policy, facts, out);
  std::optional<uint32_t> version;
  std::optional<uint64_t> platform_info;
  if (facts.evidence.report) {
    version = facts.evidence.report->version();
    platform_info = facts.evidence.report->platform_info();
  }
  JudgeOneOf(
      policy.report_versions, "report_versions", kReportVersionNotAllowed,
      version, [](uint32_t number) { return absl::StrCat(number); }, out);
  JudgeLaunch(policy, facts, out);
  JudgeGuestPolicy(policy, facts, out);
  JudgeBits(policy.platform_info, sev::kPlatformInfoBits, "platform_info",
            kPlatformInfoNotAllowed, platform_info, out);
  JudgeVlek(policy.vlek, facts, out);
  JudgeChips(policy, facts, out);
  if (policy.crl_required) {
    out.Add(
        "signer.crl", kCrlNotChecked, facts.evidence.crl_checked,
        facts.evidence.crl_checked ? "a current list" : "none that is current",
        "a current list");
  } else {
    out.Off("signer.crl", kCrlNotChecked);
  }
}

}  // namespace verifier
