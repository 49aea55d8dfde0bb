// SPDX-License-Identifier: Apache-2.0
//
// One certificate, DER or PEM: what is read of it before any signature counts.
// That no other bytes verify is appraisal_fuzz's.
#include <cstring>
#include <string>
#include <vector>

#include "tools/fuzz_seed.h"
#include "verifier/endorsements/certificate.h"
#include "verifier/endorsements/leaf_facts.h"
#include "verifier/testing/appraisal_draft.h"

namespace {

using verifier::testing::P256Key;
using verifier::testing::Rsa2048Key;

void CheckText(const std::string& text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7E) __builtin_trap();
  }
}

std::vector<std::vector<uint8_t>> Seeds() {
  const auto vcek = verifier::testing::Make(
      psp::VcekSpec(psp::kMilan, {}, P256Key(), Rsa2048Key()));
  const auto vlek = verifier::testing::Make(
      psp::VlekSpec(psp::kTurin, "CN=cc.example.com", P256Key(), Rsa2048Key()));
  return {vcek, vlek, verifier::testing::PemOf(vcek, "CERTIFICATE")};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto certificate = verifier::Certificate::Parse({data, size});
  if (!certificate) return 0;
  CheckText(certificate->SubjectName());
  CheckText(certificate->IssuerName());
  certificate->ClaimsToBeCa();
  verifier::Findings findings;
  verifier::CheckValidity(*certificate, verifier::testing::kAppraisalTime, "",
                          findings);
  verifier::CheckIsCa(*certificate, "", findings);
  const verifier::LeafFacts facts = verifier::ReadLeaf(*certificate);
  CheckText(facts.product_name);
  CheckText(facts.csp_id);
  if (!facts.has_hardware_id && !facts.hardware_id.empty()) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  static const auto& seeds = *new std::vector<std::vector<uint8_t>>(Seeds());
  if (index >= seeds.size() || seeds[index].size() > capacity) return 0;
  memcpy(out, seeds[index].data(), seeds[index].size());
  return seeds[index].size();
}
