// SPDX-License-Identifier: Apache-2.0
//
// A certificate from the host as VCEK or as ASK. The root is pinned by its
// SHA-256, so nothing can take its place.
#include <cstring>

#include "tools/fuzz_seed.h"
#include "verifier/evidence/chain.h"
#include "verifier/testing/evidence_maker.h"

namespace {

constexpr time_t kNow = 1800000000;

const verifier::testing::Certificates& Good() {
  static const auto& good = *new verifier::testing::Certificates(
      verifier::testing::GoodCertificates());
  return good;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto& root =
      *new verifier::AcceptedRoot(verifier::testing::TestRoot());
  if (size == 0) return 0;
  const base::Bytes input(data + 1, size - 1);
  verifier::CertificateSet set{
      .leaf = Good().vcek, .intermediate = Good().ask, .root = Good().ark};
  base::Bytes& link = data[0] % 2 == 0 ? set.leaf : set.intermediate;
  const bool genuine = base::Equal(input, link);
  link = input;
  const verifier::Chain chain = verifier::VerifyChain(
      {.certificates = set, .roots = {&root, 1}, .now = kNow});
  // Nothing but the genuine bytes may take a link's place.
  if (chain.verified != genuine) __builtin_trap();
  return 0;
}

// The link that the certificate stands in for (0: VCEK), then the certificate.
// One seed: each of its 12 thousand neighbours verifies three signatures.
extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  const std::vector<uint8_t>& vcek = Good().vcek;
  if (index != 0 || vcek.size() + 1 > capacity) return 0;
  out[0] = 0;
  memcpy(out + 1, vcek.data(), vcek.size());
  return vcek.size() + 1;
}
