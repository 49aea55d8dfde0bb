// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/amd_roots.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace verifier {
namespace {

ossl::Digest256 Pin(std::string_view hex) {
  ossl::Digest256 sha256;
  if (!ossl::FromHex(hex, sha256)) abort();
  return sha256;
}

}  // namespace

std::span<const AmdRoot> AmdRoots() {
  using sev::Product;
  static const std::array<AmdRoot, 3> kRoots = {{
      {Product::kMilan,
       Pin("69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd")},
      {Product::kGenoa,
       Pin("4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1")},
      {Product::kTurin,
       Pin("1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a")},
  }};
  return kRoots;
}

std::optional<sev::Product> ProductOfRoot(const ossl::Digest256& sha256) {
  const auto found = std::ranges::find(AmdRoots(), sha256, &AmdRoot::sha256);
  if (found == AmdRoots().end()) return std::nullopt;
  return found->product;
}

bool IsAmdRoot(const ossl::Digest256& sha256) {
  return ProductOfRoot(sha256).has_value();
}

}  // namespace verifier
