// SPDX-License-Identifier: Apache-2.0
//
// What a report says and its chain shows: what policies are held against and
// what logs keep.
#pragma once

#include <optional>
#include <string>

#include "sev/product.h"
#include "sev/report.h"
#include "verifier/endorsements/leaf_facts.h"
#include "verifier/ossl/ossl.h"
#include "verifier/trust_class.h"

namespace verifier {

// Proven only where the verdict of the appraisal is valid.
struct AppraisalFacts {
  std::optional<sev::UnverifiedReport> report;  // Of the right size.
  std::optional<sev::Product> product;          // By the chain.
  std::optional<SignerKind> signer;             // By the leaf.
  std::string csp_id;                           // Of a VLEK.
  std::optional<ossl::Digest256> root;  // The accepted one above the leaf.
  TrustClass trust_class = TrustClass::kHardware;  // That root's.
  bool crl_checked = false;  // A current list of the root says nothing bad.

  bool emulated() const {
    return root.has_value() && trust_class == TrustClass::kEmulated;
  }
};

}  // namespace verifier
