// SPDX-License-Identifier: Apache-2.0
//
// The fixed core: what must hold for any evidence, whatever a policy says
// (design section 7). The report is verified over the bytes received, against
// certificates that came with it and roots that the owner accepts.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "sev/report.h"
#include "verifier/endorsements/accepted_root.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/evidence/chain_cache.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/trust_class.h"

namespace verifier {

struct EvidenceInput {
  base::Bytes report;        // As received.
  base::Bytes certificates;  // GHCB certificate table, as received.
  // What the report must be bound to: recomputed from this session.
  ossl::Digest512 report_data{};
  std::span<const AcceptedRoot> roots;
  // Unknown guest-policy bits that every governing policy names.
  uint64_t allowed_policy_bits = 0;
  // Every governing policy allows REPORTED_TCB or COMMITTED_TCB above CURRENT.
  bool allow_tcb_above_current = false;
  time_t now = 0;  // Seconds since 1970, UTC.
  // Beside what comes with the evidence; may be null, as may the cache.
  std::shared_ptr<const Endorsements> endorsements;
  ChainCache* cache = nullptr;
};

// Proof that a report passed the whole fixed core. Only VerifyEvidence makes
// one, and only with one can a secret be taken from the store.
class VerifiedReport {
 public:
  const sev::UnverifiedReport& report() const { return report_; }
  const ossl::Digest256& root() const { return root_; }
  TrustClass trust_class() const { return trust_class_; }

 private:
  friend struct EvidenceVerifier;
  explicit VerifiedReport(const sev::UnverifiedReport& report)
      : report_(report) {}
  sev::UnverifiedReport report_;
  ossl::Digest256 root_{};
  TrustClass trust_class_ = TrustClass::kHardware;
};

struct EvidenceResult {
  Findings findings;  // Every check that failed.
  // Present exactly if findings is empty.
  std::optional<VerifiedReport> verified;
  // A key under an accepted root signed this report for this session: the peer
  // is a guest on such a processor, though perhaps not one to be trusted.
  bool genuine = false;
  // For the log, for policies and for naming further reasons; proves nothing
  // unless `verified` is there.
  Appraisal appraisal;
};

EvidenceResult VerifyEvidence(const EvidenceInput& input);

}  // namespace verifier
