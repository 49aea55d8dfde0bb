// SPDX-License-Identifier: Apache-2.0
#include "cli/verdict_text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "cli/describe_report.h"
#include "cli/error.h"
#include "hosted/status.h"
#include "hosted/text.h"
#include "verifier/endorsements/amd_roots.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using verifier::Check;
using verifier::Outcome;

// Beside the checks of an appraisal.
constexpr char kReportDataCheck[] = "report_data";
constexpr char kRuntimeDataCheck[] = "runtime_data_bound";

// Checks stand in the order of their groups.
struct Group {
  std::string_view name;
  Check first, last;
};
constexpr Group kGroups[] = {
    {"form of the report", Check::kLength, Check::kSigningKey},
    {"certificate chain", Check::kCertificatesParse, Check::kLeafKey},
    {"signature", Check::kReportSignature, Check::kReportSignature},
    {"certificate is for this key", Check::kLeafType, Check::kProductName},
    {"certificate is for this TCB", Check::kTcbFmc, Check::kTcbMicrocode},
    {"certificate is for this chip", Check::kHardwareIdPresent,
     Check::kVlekCspId},
    {"dates", Check::kLeafInValidity, Check::kRootInValidity},
    {"revocation", Check::kCrlSigned, Check::kIntermediateNotRevoked},
    {"no TCB above the current one", Check::kTcbNotAboveCurrent,
     Check::kTcbNotAboveCurrent},
};

// No check is left out: a report is not invalid by lines that all say "ok".
constexpr bool HoldsEveryCheck() {
  size_t next = 0;
  for (const Group& group : kGroups) {
    if (static_cast<size_t>(group.first) != next) return false;
    next = static_cast<size_t>(group.last) + 1;
  }
  return next == verifier::kCheckCount;
}
static_assert(HoldsEveryCheck());

std::string TimeText(time_t time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromTimeT(time),
                          absl::UTCTimeZone());
}

std::string GroupLine(const verifier::Appraisal& appraisal,
                      const Group& group) {
  std::vector<std::string_view> failed;
  int passed = 0;
  for (auto i = static_cast<size_t>(group.first);
       i <= static_cast<size_t>(group.last); ++i) {
    const auto check = static_cast<Check>(i);
    if (appraisal.of(check) == Outcome::kPass) ++passed;
    if (appraisal.of(check) == Outcome::kFail) failed.push_back(NameOf(check));
  }
  std::string result = passed == 0 ? "not checked" : "ok";
  if (!failed.empty()) {
    result = absl::StrCat("FAILED: ", absl::StrJoin(failed, ", "));
  }
  return absl::StrFormat("  %-30s%s\n", group.name, result);
}

std::string FindingText(const verifier::Finding& finding) {
  const hosted::ReasonText text = TextOf(finding.reason);
  return absl::StrCat(verifier::ReasonCode(finding.reason), " ", text.what,
                      finding.detail.empty() ? "" : ": ",
                      hosted::Printable(finding.detail),
                      text.advice.empty() ? "" : "\n    ", text.advice, "\n");
}

Json OutcomeJson(Outcome outcome) {
  if (outcome == Outcome::kNotEvaluated) return nullptr;
  return outcome == Outcome::kPass;
}

Json LeafJson(const verifier::LeafFacts& leaf) {
  const auto optional = [](const std::optional<uint8_t>& value) {
    return value ? Json(*value) : Json(nullptr);
  };
  return {
      {"kind", leaf.kind ? Json(NameOf(*leaf.kind)) : Json(nullptr)},
      {"product_name", hosted::Printable(leaf.product_name)},
      {"struct_version", optional(leaf.struct_version)},
      {"fmc_spl", optional(leaf.fmc)},
      {"bl_spl", optional(leaf.boot_loader)},
      {"tee_spl", optional(leaf.tee)},
      {"snp_spl", optional(leaf.snp)},
      {"ucode_spl", optional(leaf.microcode)},
      {"hwid", leaf.has_hardware_id
                   ? Json(verifier::ossl::Hex(leaf.hardware_id))
                   : Json(nullptr)},
      {"csp_id", hosted::Printable(leaf.csp_id)},
  };
}

std::string SignerText(const verifier::Appraisal& appraisal) {
  if (!appraisal.leaf || !appraisal.leaf->kind) return "";
  std::string text = absl::StrCat(", ", NameOf(*appraisal.leaf->kind));
  if (!appraisal.leaf->csp_id.empty()) {
    absl::StrAppend(&text, " of ", hosted::Printable(appraisal.leaf->csp_id));
  }
  return text;
}

std::string RootText(const verifier::Appraisal& appraisal) {
  if (!appraisal.facts.root) return "";
  return absl::StrCat(
      verifier::IsAmdRoot(*appraisal.facts.root) ? ", AMD's root"
                                                 : ", a root that is not AMD's",
      " sha256:", verifier::ossl::Hex(*appraisal.facts.root).substr(0, 16));
}

}  // namespace

std::string VerdictText(const VerdictView& view) {
  const verifier::Appraisal& appraisal = view.appraisal;
  std::string text = absl::StrCat(
      NameOf(appraisal.verdict), " at ", TimeText(view.at),
      appraisal.facts.product
          ? absl::StrCat(": ", sev::NameOf(*appraisal.facts.product))
          : "",
      SignerText(appraisal), RootText(appraisal), "\n\n");
  for (const Group& group : kGroups) {
    absl::StrAppend(&text, GroupLine(appraisal, group));
  }
  if (appraisal.report_data_equal) {
    absl::StrAppendFormat(&text, "  %-30s%s\n", "report data",
                          *appraisal.report_data_equal ? "ok" : "FAILED");
  }
  if (appraisal.runtime_data_bound) {
    absl::StrAppendFormat(&text, "  %-30s%s\n", "runtime data",
                          *appraisal.runtime_data_bound ? "ok" : "FAILED");
  }
  if (!appraisal.findings.empty()) absl::StrAppend(&text, "\n");
  for (const verifier::Finding& finding : appraisal.findings) {
    absl::StrAppend(&text, FindingText(finding));
  }
  return text;
}

std::string VerdictJson(const VerdictView& view) {
  const verifier::Appraisal& appraisal = view.appraisal;
  Json failing = Json::array();
  for (const Check check : FailingChecks(appraisal)) {
    failing.push_back(NameOf(check));
  }
  Json checks = Json::object();
  for (size_t i = 0; i < verifier::kCheckCount; ++i) {
    const auto check = static_cast<Check>(i);
    checks[std::string(NameOf(check))] = OutcomeJson(appraisal.of(check));
  }
  if (appraisal.report_data_equal) {
    checks[kReportDataCheck] = *appraisal.report_data_equal;
    if (!*appraisal.report_data_equal) failing.push_back(kReportDataCheck);
  }
  if (appraisal.runtime_data_bound) {
    checks[kRuntimeDataCheck] = *appraisal.runtime_data_bound;
    if (!*appraisal.runtime_data_bound) failing.push_back(kRuntimeDataCheck);
  }
  Json reasons = Json::array();
  for (const verifier::Finding& finding : appraisal.findings) {
    const hosted::ReasonText text = TextOf(finding.reason);
    reasons.push_back({{"code", verifier::ReasonCode(finding.reason)},
                       {"text", text.what},
                       {"detail", hosted::Printable(finding.detail)},
                       {"advice", text.advice}});
  }
  Json root = nullptr;
  if (appraisal.facts.root) {
    root = {{"sha256", verifier::ossl::Hex(*appraisal.facts.root)},
            {"amd", verifier::IsAmdRoot(*appraisal.facts.root)}};
  }
  const Json object = {
      {"verdict", NameOf(appraisal.verdict)},
      {"at", TimeText(view.at)},
      {"failing_checks", failing},
      {"checks", checks},
      {"reasons", reasons},
      {"product", appraisal.facts.product
                      ? Json(sev::NameOf(*appraisal.facts.product))
                      : Json(nullptr)},
      {"root", root},
      {"crl_checked", appraisal.facts.crl_checked},
      {"leaf", appraisal.leaf ? LeafJson(*appraisal.leaf) : Json(nullptr)},
      {"report",
       appraisal.facts.report
           ? DescribeReport(*appraisal.facts.report, appraisal.facts.product)
           : Json(nullptr)},
  };
  return absl::StrCat(ToText(object), "\n");
}

}  // namespace cli
