// SPDX-License-Identifier: Apache-2.0
//
// AMD's root keys (ARK), pinned by the SHA-256 of their certificates in DER.
// Facts; the certificates themselves come with the evidence or by import.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "sev/product.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

struct AmdRoot {
  sev::Product product;
  ossl::Digest256 sha256;
};
std::span<const AmdRoot> AmdRoots();
bool IsAmdRoot(const ossl::Digest256& sha256);
// Empty: not AMD's.
std::optional<sev::Product> ProductOfRoot(const ossl::Digest256& sha256);

}  // namespace verifier
