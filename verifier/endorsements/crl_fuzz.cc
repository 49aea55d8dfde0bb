// SPDX-License-Identifier: Apache-2.0
//
// A revocation list, DER or PEM, and its signature.
#include <cstring>
#include <vector>

#include "tools/fuzz_seed.h"
#include "verifier/endorsements/crl.h"
#include "verifier/testing/appraisal_draft.h"

namespace {

using verifier::testing::ArkKey;

const verifier::Certificate& Root() {
  static const auto& root =
      *new verifier::Certificate(*verifier::Certificate::Parse(
          verifier::testing::Make(psp::ArkSpec(psp::kMilan, ArkKey()))));
  return root;
}

std::vector<std::vector<uint8_t>> MakeSeeds() {
  psp::CrlSpec spec = psp::GoodCrlSpec(psp::kMilan, ArkKey());
  spec.revoked_serial = 0x10001;
  const auto crl = verifier::testing::Make(spec);
  return {crl, verifier::testing::PemOf(crl, "X509 CRL")};
}

const std::vector<std::vector<uint8_t>>& Seeds() {
  static const auto& seeds =
      *new std::vector<std::vector<uint8_t>>(MakeSeeds());
  return seeds;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto crl = verifier::Crl::Parse({data, size});
  if (!crl) {
    verifier::Crl::WhyNot({data, size});
    return 0;
  }
  crl->number();
  verifier::Findings findings;
  verifier::CheckCrlCurrent(*crl, verifier::testing::kAppraisalTime, findings);
  verifier::CheckNotRevoked(Root(), *crl, "", findings);
  verifier::Findings is_signed;
  verifier::CheckCrlSignedBy(*crl, Root(), is_signed);
  const bool genuine =
      crl->sha256() == verifier::ossl::Sha256::Of(Seeds().front());
  if (is_signed.empty() != genuine) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index >= Seeds().size() || Seeds()[index].size() > capacity) return 0;
  memcpy(out, Seeds()[index].data(), Seeds()[index].size());
  return Seeds()[index].size();
}
