// SPDX-License-Identifier: Apache-2.0
//
// A file with certificates in any form, stored, given and in the places of a
// chain: split, told apart, and asked for a chain.
#include <cstring>
#include <vector>

#include "tools/fuzz_seed.h"
#include "verifier/endorsements/endorsements.h"
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
  using verifier::Claim;
  const base::Bytes input(data, size);
  for (const Claim claim : {Claim::kStored, Claim::kGiven}) {
    verifier::Endorsements all;
    const bool added = all.Add(input, {.name = "file", .claim = claim}).ok();
    const verifier::EndorsementQuery query{.at = 1800000000};
    const verifier::Selection selection = all.For(query);
    if (claim == Claim::kStored && !selection.unusable.empty()) {
      __builtin_trap();
    }
    // A file that was named counts, one way or the other.
    if (claim == Claim::kGiven && !added && selection.unusable.empty()) {
      __builtin_trap();
    }
    all.LeftOut(query, selection);
  }
  verifier::Endorsements placed;
  placed.AddPlaced(
      {.leaf = input, .intermediate = input, .root = input, .crl = input},
      "evidence");
  const verifier::Selection selection = placed.For({.at = 1800000000});
  if (size > 0 && selection.leaf == nullptr && !selection.has_broken_place) {
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
