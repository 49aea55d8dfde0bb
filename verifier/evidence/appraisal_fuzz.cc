// SPDX-License-Identifier: Apache-2.0
//
// Whole evidence. The input is a list of changes to good evidence rather than
// evidence, since its signatures are by keys that each process makes anew:
// which evidence (1 byte), then what is changed (5 bytes each): the part, the
// place (2 bytes, little-endian), how (XOR, cut, insert) and the value.
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "tools/fuzz_seed.h"
#include "verifier/evidence/chain_cache.h"
#include "verifier/testing/appraisal_draft.h"

namespace {

using verifier::Appraisal;
using verifier::Outcome;
using verifier::Verdict;
using verifier::testing::Exhibit;
using verifier::testing::GoodDraft;

constexpr size_t kChange = 5;
constexpr size_t kMaxChanges = 8;

const std::array<Exhibit, 4>& Good() {
  using verifier::SignerKind;
  static const auto& good = *new std::array<Exhibit, 4>{
      GoodDraft(psp::kMilan, SignerKind::kVcek, 2).Sign(),
      GoodDraft(psp::kGenoa, SignerKind::kVcek, 3).Sign(),
      GoodDraft(psp::kTurin, SignerKind::kVcek, 5).Sign(),
      GoodDraft(psp::kTurin, SignerKind::kVlek, 3).Sign()};
  return good;
}

void Change(Exhibit& exhibit, base::Bytes change) {
  std::vector<uint8_t>* const parts[] = {&exhibit.report, &exhibit.leaf,
                                         &exhibit.intermediate, &exhibit.root,
                                         &exhibit.crl};
  std::vector<uint8_t>& part = *parts[change[0] % std::size(parts)];
  const size_t place = static_cast<size_t>(change[1] | change[2] << 8);
  if (part.empty()) return;
  const size_t at = place % part.size();
  switch (change[3] % 4) {
    case 0:
    case 1:
      part[at] ^= change[4];
      break;
    case 2:
      part.resize(at);
      break;
    default:
      part.insert(part.begin() + static_cast<ptrdiff_t>(at), change[4]);
  }
}

// Without a list is as good; all else must be the same.
bool Same(const Exhibit& a, const Exhibit& b) {
  return a.report == b.report && a.leaf == b.leaf &&
         a.intermediate == b.intermediate && a.root == b.root &&
         (a.crl == b.crl || a.crl.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto& cache = *new verifier::ChainCache(4);
  if (size == 0) return 0;
  const Exhibit& good = Good()[data[0] % Good().size()];
  Exhibit exhibit = good;
  base::Bytes changes(data + 1, size - 1);
  for (size_t i = 0; i < kMaxChanges && changes.size() >= kChange; ++i) {
    Change(exhibit, changes.first(kChange));
    changes = changes.subspan(kChange);
  }
  verifier::AppraisalInput input = exhibit.Input();
  input.cache = &cache;
  const Appraisal appraisal = verifier::Appraise(input);
  // (R, n - S) would be valid too, but no XOR of eight bytes finds it.
  if ((appraisal.verdict == Verdict::kValid) != Same(exhibit, good)) {
    __builtin_trap();
  }
  const bool fails = !verifier::FailingChecks(appraisal).empty();
  if (fails != (appraisal.verdict == Verdict::kInvalid)) __builtin_trap();
  if (appraisal.findings.empty() != (appraisal.verdict == Verdict::kValid)) {
    __builtin_trap();
  }
  return 0;
}

// Each kind of evidence with one change of each part, which the fixed loop
// flips and cuts, two of them unchanged, and what fuzzing found: a list of
// revocations whose outer algorithm is not the signed one.
extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index >= 13 || capacity < 1 + kChange) return 0;
  if (index == 12) {
    constexpr uint8_t kFound[] = {2, 4, 0x3D, 0x48, 0, 0xF7};
    memcpy(out, kFound, sizeof(kFound));
    return sizeof(kFound);
  }
  out[0] = static_cast<uint8_t>(index % 4);
  if (index >= 10) return 1;
  const auto part = static_cast<uint8_t>(index % 5);
  const uint8_t change[kChange] = {part, 0x42, 0x01, 0,
                                   static_cast<uint8_t>(1u << index % 8)};
  memcpy(out + 1, change, kChange);
  return 1 + kChange;
}
