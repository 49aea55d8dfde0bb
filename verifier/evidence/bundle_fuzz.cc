// SPDX-License-Identifier: Apache-2.0
//
// Files with certificates in any form: split, and sorted into a chain.
#include <cstring>
#include <vector>

#include "tools/fuzz_seed.h"
#include "verifier/evidence/bundle.h"
#include "verifier/testing/appraisal_draft.h"

namespace {

using File = std::vector<uint8_t>;
using verifier::testing::Make;
using verifier::testing::P256Key;
using verifier::testing::PemOf;
using verifier::testing::Rsa2048Key;

// Small ones: each has ten thousand neighbours.
std::vector<File> MakeSeeds() {
  psp::CertificateSpec spec =
      psp::VcekSpec(psp::kMilan, {}, P256Key(), Rsa2048Key());
  spec.extensions.clear();
  const File leaf = Make(spec);
  const File crl = Make(psp::GoodCrlSpec(psp::kMilan, Rsa2048Key()));
  File both = leaf;
  both.insert(both.end(), crl.begin(), crl.end());
  return {both, PemOf(crl, "X509 CRL")};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  verifier::CertificateBundle bundle;
  const bool added = bundle.Add({data, size}, "file").ok();
  if (added && bundle.has_leaf() == bundle.Set().leaf.empty()) {
    __builtin_trap();
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  static const auto& seeds = *new std::vector<File>(MakeSeeds());
  if (index >= seeds.size() || seeds[index].size() > capacity) return 0;
  memcpy(out, seeds[index].data(), seeds[index].size());
  return seeds[index].size();
}
