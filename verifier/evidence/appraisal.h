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
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "sev/product.h"
#include "sev/report.h"
#include "verifier/evidence/accepted_root.h"
#include "verifier/evidence/authorities.h"
#include "verifier/evidence/checks.h"
#include "verifier/evidence/endorsement.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/trust_class.h"

namespace verifier {

class ChainCache;

// What came with the report, each in the place it claims; DER or PEM of one
// certificate, or empty. Borrowed.
struct CertificateSet {
  base::Bytes leaf;          // VCEK or VLEK
  base::Bytes intermediate;  // ASK or ASVK
  base::Bytes root;          // ARK
  base::Bytes crl;
};

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
  CertificateSet certificates;
  const Authorities* authorities = nullptr;  // For what did not come with it.
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
  ChainCache* cache = nullptr;
};

struct Appraisal {
  Verdict verdict = Verdict::kInvalid;
  Outcomes outcomes{};
  // Every reason why the verdict is not kValid.
  Findings findings;
  std::optional<sev::UnverifiedReport> report;  // Of the right size.
  std::optional<LeafFacts> leaf;
  std::optional<sev::Product> product;  // By the chain.
  std::optional<ossl::Digest256> root;  // The accepted root above the leaf.
  TrustClass trust_class = TrustClass::kHardware;
  bool crl_checked = false;  // A current list of the root says nothing bad.
  // A key under an accepted root, by a chain without fault, signed the report,
  // whatever its fields say.
  bool signed_by_accepted = false;

  Outcome of(Check check) const { return outcomes[static_cast<size_t>(check)]; }
};

Appraisal Appraise(const AppraisalInput& input);

std::vector<Check> FailingChecks(const Appraisal& appraisal);

}  // namespace verifier
