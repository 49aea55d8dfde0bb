// SPDX-License-Identifier: Apache-2.0
//
// ARK -> ASK -> VCEK, or ARK -> ASVK -> VLEK, and the ARK's CRL. The
// certificates come from the host and prove themselves; only the root's SHA-256
// is trusted.
#pragma once

#include <openssl/evp.h>

#include <ctime>
#include <memory>
#include <optional>
#include <span>

#include "sev/product.h"
#include "verifier/evidence/accepted_root.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/evidence/authorities.h"
#include "verifier/evidence/certificate.h"
#include "verifier/evidence/checks.h"
#include "verifier/evidence/endorsement.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/trust_class.h"

namespace verifier {

// What is known of a chain after its checks. Immutable once made.
struct Chain {
  Outcomes outcomes{};
  Findings findings;
  // All certificates are there, and every check of the chain passed.
  bool verified = false;
  std::optional<Certificate> leaf;
  LeafFacts facts;
  std::optional<sev::Product> product;  // By the intermediate's name.
  std::optional<ossl::Digest256> root;  // If accepted.
  TrustClass trust_class = TrustClass::kHardware;
  bool crl_checked = false;
  // For the same bytes the result stays the same in [not_before, not_after).
  time_t not_before = 0;
  time_t not_after = 0;
};

Chain VerifyChain(const AppraisalInput& input);

// From the cache if it is there; puts what verifies into it.
std::shared_ptr<const Chain> VerifyChainCached(const AppraisalInput& input);

}  // namespace verifier
