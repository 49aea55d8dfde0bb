// SPDX-License-Identifier: Apache-2.0
//
// What a guest sends as evidence: the message, then the fixed core on it. The
// seed's certificates are none, so that runs are quick; certificate_fuzz has
// real ones.
#include <cstring>
#include <vector>

#include "proto/attest.h"
#include "tools/fuzz_seed.h"
#include "verifier/evidence/evidence.h"
#include "verifier/testing/evidence_maker.h"
#include "verifier/testing/guest_messages.h"

namespace {

constexpr time_t kNow = 1800000000;

const verifier::AcceptedRoot& Root() {
  static const auto& root =
      *new verifier::AcceptedRoot(verifier::testing::TestRoot());
  return root;
}

const std::vector<uint8_t>& Seed() {
  static const auto& seed =
      *new std::vector<uint8_t>(verifier::testing::EvidenceFor(
          verifier::testing::MakeReport(std::vector<uint8_t>(64, 1)),
          verifier::testing::PackTable({{1, 2, 3}, {4, 5}, {6}}),
          verifier::testing::GoodManifest()));
  return seed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto& arena = *new proto::AttestArena;
  arena.Reset();
  const auto evidence =
      proto::Decode<proto::AttestEvidence>({data, size}, arena);
  if (!evidence.ok()) return 0;
  verifier::EvidenceInput input{.report = evidence->report,
                                .certificates = evidence->certificates,
                                .roots = {&Root(), 1},
                                .now = kNow};
  // Other report data than the seed's: nothing may ever verify.
  if (VerifyEvidence(input).verified) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index != 0 || Seed().size() > capacity) return 0;
  memcpy(out, Seed().data(), Seed().size());
  return Seed().size();
}
