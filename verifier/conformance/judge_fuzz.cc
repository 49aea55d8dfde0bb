// SPDX-License-Identifier: Apache-2.0
//
// The first byte chooses the kind, the rest is its main file.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sev/cert_table.h"
#include "tools/fuzz_seed.h"
#include "verifier/conformance/judge.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/testing/evidence_maker.h"

namespace {

constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
    {"cert-table", "table"}, {"msg-report-rsp", "msg"},
    {"azure-hcl", "hcl"},    {"report", "report"},
    {"leaf-cert", "leaf"},   {"cert-chain", "intermediate"},
    {"crl", "crl"},
};

using Blob = std::vector<uint8_t>;

template <typename Bytes>
Blob BlobOf(const Bytes& bytes) {
  return Blob(bytes.begin(), bytes.end());
}

// Small ones: the fixed loop flips every bit of them. Evidence is the emulated
// firmware's. The number is that of the kind.
std::vector<Blob> MakeSeeds() {
  const auto certificates = verifier::testing::GoodCertificates();
  const std::pair<uint8_t, Blob> seeds[] = {
      {0, Blob(sev::kCertTableEntrySize)},
      {3, BlobOf(verifier::testing::MakeReport(std::array<uint8_t, 64>{}))},
      {4, certificates.vcek},
  };
  std::vector<Blob> made;
  for (const auto& [kind, bytes] : seeds) {
    made.push_back(bytes);
    made.back().insert(made.back().begin(), kind);
  }
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const auto& [kind, role] = kKinds[data[0] % std::size(kKinds)];
  verifier::conformance::VectorEntry entry;
  entry.kind = kind;
  verifier::conformance::LoadedVector vector{.entry = entry};
  vector.files[std::string(role)].assign(data + 1, data + size);
  const verifier::conformance::SignatureIndex signatures;
  const verifier::conformance::Judgement judgement =
      verifier::conformance::Judge(vector, {.signatures = &signatures});
  // No root is accepted: nothing that needs one may be valid.
  const bool needs_root = kind == "report" || kind == "leaf-cert" ||
                          kind == "cert-chain" || kind == "crl";
  if (needs_root && judgement.verdict == verifier::Verdict::kValid) {
    __builtin_trap();
  }
  if ((judgement.verdict == verifier::Verdict::kInvalid) ==
      judgement.failing_checks.empty()) {
    __builtin_trap();
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  static const std::vector<Blob> seeds = MakeSeeds();
  if (index >= seeds.size() || seeds[index].size() > capacity) return 0;
  std::ranges::copy(seeds[index], out);
  return seeds[index].size();
}
