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
#include "verifier/endorsements/accepted_root.h"
#include "verifier/endorsements/certificate.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/endorsements/leaf_facts.h"
#include "verifier/evidence/checks.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/trust_class.h"

namespace verifier {

class ChainCache;

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

struct ChainInput {
  const Selection& selection;
  std::span<const AcceptedRoot> roots;
  time_t now = 0;  // Seconds since 1970, UTC.
  // A product that this code does not know fails nothing, and never verifies.
  bool allow_newer_version = false;
  ChainCache* cache = nullptr;  // May be null.
};

// Of the chain that was selected, whoever selected it.
Chain VerifyChain(const ChainInput& input);

// From the cache if it is there; puts what verifies into it.
std::shared_ptr<const Chain> VerifyChainCached(const ChainInput& input);

}  // namespace verifier
