// SPDX-License-Identifier: Apache-2.0
//
// Appraisal: is this report authentic, by AMD's keys and AMD's profile? Every
// check is judged by itself, so that a refusal names everything that is wrong.
// Knows no session and no policy: a report asked for at VMPL 1, or of a guest
// that may be debugged, is authentic. evidence.h adds the fixed core.
//
// Spec: AMD 56860 (SEV-SNP Firmware ABI) rev. 1.58, MSG_REPORT_REQ; AMD 57230
// (VCEK Certificate and KDS Interface) rev. 1.00.
#pragma once

#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "sev/report.h"
#include "verifier/endorsements/accepted_root.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/endorsements/leaf_facts.h"
#include "verifier/evidence/appraisal_facts.h"
#include "verifier/evidence/checks.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

class ChainCache;

enum class CrlRule : uint8_t {
  kIfPresent,  // A list that is there must be good.
  kRequired,   // Without one the report is refused.
};

enum class Verdict : uint8_t {
  kValid,
  kInvalid,       // At least one check failed.
  kUnverifiable,  // None failed, but what would prove it is missing.
};
std::string_view NameOf(Verdict verdict);

struct AppraisalInput {
  base::Bytes report;  // As received.
  // All that is at hand: what fits the report is chosen here.
  std::shared_ptr<const Endorsements> endorsements;
  std::span<const AcceptedRoot> roots;
  time_t now = 0;  // Seconds since 1970, UTC.
  // Guest-policy bits beyond 25 that may be set.
  uint64_t allowed_policy_bits = 0;
  // REPORTED_TCB or COMMITTED_TCB may be above CURRENT_TCB.
  bool allow_tcb_above_current = false;
  // A report version that this code does not know: check what is known of it.
  // The verdict is kUnverifiable at best.
  bool allow_newer_version = false;
  CrlRule crl_rule = CrlRule::kIfPresent;
  // What REPORT_DATA must be, and what it is called if it is not.
  struct ExpectedData {
    base::Bytes value;
    base::Reason if_other;
  };
  std::optional<ExpectedData> report_data;
  // Whether REPORT_DATA is the hash of what came around the report (an Azure
  // vTPM's runtime data), and what it is called if not; empty: nothing did.
  struct RuntimeData {
    bool is_bound = false;
    base::Reason if_not;
  };
  std::optional<RuntimeData> runtime_data;
  ChainCache* cache = nullptr;
};

struct Appraisal {
  Verdict verdict = Verdict::kInvalid;
  Outcomes outcomes{};
  // Every reason why the verdict is not kValid.
  Findings findings;
  AppraisalFacts facts;
  std::optional<LeafFacts> leaf;
  // What was chosen, and judged.
  Selection selection;
  // As the input asked; empty: it did not, or there is no report.
  std::optional<bool> report_data_equal;
  std::optional<bool> runtime_data_bound;
  // A key under an accepted root, by a chain without fault, signed the report,
  // whatever its fields say.
  bool signed_by_accepted = false;

  Outcome of(Check check) const { return outcomes[static_cast<size_t>(check)]; }
};

// The only one who decides a verdict; nobody changes it afterwards.
Appraisal Appraise(const AppraisalInput& input);

std::vector<Check> FailingChecks(const Appraisal& appraisal);

}  // namespace verifier
