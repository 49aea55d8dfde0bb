// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/evidence.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sev/cert_table.h"
#include "sev/guest_policy.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

std::string HexWord(uint64_t value) { return absl::StrFormat("%#x", value); }

// The fixed core beyond authenticity.
void CheckCore(const sev::UnverifiedReport& report, Findings& findings) {
  if (report.vmpl() != 0) {
    findings.push_back({kReportVmpl, absl::StrCat("VMPL ", report.vmpl())});
  }
  const uint64_t policy = report.policy();
  if ((policy & sev::kPolicyDebug) != 0) {
    findings.push_back({kReportDebug, HexWord(policy)});
  }
  if ((policy & sev::kPolicyMigrationAgent) != 0) {
    findings.push_back({kReportMigrationAgent, HexWord(policy)});
  }
}

}  // namespace

// The one place where a VerifiedReport begins.
struct EvidenceVerifier {
  static EvidenceResult Run(const EvidenceInput& input) {
    EvidenceResult result;
    const auto table = sev::ParseCertTable(input.certificates);
    if (!table.ok()) {
      result.findings.push_back({table.status().reason(), ""});
    }
    auto endorsements = std::make_shared<Endorsements>(
        input.endorsements,
        input.cache == nullptr ? nullptr : &input.cache->known());
    if (table.ok()) endorsements->AddTable(*table, "evidence");
    result.appraisal =
        Appraise({.report = input.report,
                  .endorsements = endorsements,
                  .roots = input.roots,
                  .now = input.now,
                  .allowed_policy_bits = input.allowed_policy_bits,
                  .allow_tcb_above_current = input.allow_tcb_above_current,
                  .report_data = {{.value = input.report_data,
                                   .if_other = kReportDataMismatch}},
                  .cache = input.cache});
    Appraisal& appraisal = result.appraisal;
    result.findings.insert(result.findings.end(), appraisal.findings.begin(),
                           appraisal.findings.end());
    const AppraisalFacts& facts = appraisal.facts;
    if (!facts.report) return result;
    const sev::UnverifiedReport& report = *facts.report;
    CheckCore(report, result.findings);
    result.genuine =
        appraisal.signed_by_accepted && appraisal.report_data_equal == true;
    if (appraisal.verdict == Verdict::kValid && result.findings.empty()) {
      VerifiedReport verified(report);
      verified.root_ = *facts.root;
      verified.trust_class_ = facts.trust_class;
      result.verified = verified;
    }
    return result;
  }
};

EvidenceResult VerifyEvidence(const EvidenceInput& input) {
  EvidenceResult result = EvidenceVerifier::Run(input);
  // A path that returns without a reason would be a grant of nothing; say so
  // rather than leave the log empty.
  if (!result.verified && result.findings.empty()) {
    result.findings.push_back({kEvidenceNoLeaf, ""});
  }
  return result;
}

}  // namespace verifier
