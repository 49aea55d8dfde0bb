// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include <string_view>

#include "tools/fuzz_seed.h"
#include "verifier/policy/policy.h"

namespace {

constexpr std::string_view kSeed = R"(version = 1
name = "demo"
vms = ["demo/vm1", "fleet/*"]
secrets = ["demo/{vm}/*"]
roots = ["sha256:0000000000000000000000000000000000000000000000000000000000000000"]
measurement = ["000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"]
unattested_boot = true
guest_policy_bits = [26]
[boot]
kernel = ["sha384:000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"]
initrd = "any"
command_line = "any"
acpi = "none"
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // EDGE: bytes may be read as char.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = verifier::Policy::Parse(text, "fuzz");
  // What loads is complete.
  if (policy.ok() && (policy->vms.empty() || policy->secrets.empty() ||
                      policy->roots.empty() || policy->measurements.empty())) {
    __builtin_trap();
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index != 0 || kSeed.size() > capacity) return 0;
  memcpy(out, kSeed.data(), kSeed.size());
  return kSeed.size();
}
