// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include <string>
#include <string_view>

#include "tools/fuzz_seed.h"
#include "verifier/policy/policy.h"
#include "verifier/policy/policy_for_tests.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // EDGE: bytes may be read as char.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = verifier::Policy::Parse(text, "fuzz");
  const auto stored = verifier::Policy::ParseStored(text, "fuzz");
  // Who can read it anew reads the same.
  if (policy.ok() && (!stored.ok() || stored->outdated)) __builtin_trap();
  // What loads is complete.
  if (policy.ok() &&
      (policy->vms.empty() || policy->secrets.empty() ||
       policy->roots.empty() || policy->products.empty() ||
       (policy->measurement.any ? policy->id_key_digest.values.empty()
                                : policy->measurement.values.empty()))) {
    __builtin_trap();
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  // The second seed is as an older program may have stored it.
  if (index > 1) return 0;
  const std::string seed =
      index == 0 ? verifier::testing::StrictPolicy()
                 : "version = 1\nname = \"a\"\nvms = [\"b\"]\nsecrets = "
                   "[\"c/{vm}\"]\nroots = [\"amd:milan\"]\n";
  if (seed.size() > capacity) return 0;
  memcpy(out, seed.data(), seed.size());
  return seed.size();
}
