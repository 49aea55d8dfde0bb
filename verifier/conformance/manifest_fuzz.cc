// SPDX-License-Identifier: Apache-2.0
#include "verifier/conformance/manifest.h"

#include <algorithm>
#include <string_view>

#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto manifest = verifier::conformance::ParseManifest(
      {reinterpret_cast<const char*>(data), size});  // EDGE: char may alias.
  if (!manifest.ok()) return 0;
  for (const verifier::conformance::Vector& vector : manifest->vectors) {
    if (!vector.problem.ok()) continue;
    for (const verifier::conformance::VectorFile& file : vector.entry.files) {
      if (!verifier::conformance::IsPathInside(file.path)) __builtin_trap();
    }
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  constexpr std::string_view kSeed = R"({"default_eval_time":
"2026-09-15T00:00:00Z", "vectors": [{"id": "a", "kind": "report",
"genuine": true, "file": "r.bin", "sha256":
"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
"eval_time": "2024-01-02T03:04:05Z", "checks": {"length_1184": true},
"expected": {"verdict": "invalid", "failing_checks": ["vmpl_0_3"]}}]})";
  if (index > 0 || capacity < kSeed.size()) return 0;
  std::ranges::copy(kSeed, out);
  return kSeed.size();
}
