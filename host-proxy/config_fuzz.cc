// SPDX-License-Identifier: Apache-2.0
//
// The configuration file: an error with a place, or a configuration in which
// nothing is missing.
#include <string.h>

#include <string_view>

#include "host-proxy/config.h"
#include "tools/fuzz_seed.h"

namespace {

constexpr std::string_view kSeed =
    "connect_timeout_ms = 5\n[[vm]]\nlabel = \"a\"\nsocket = \"s\"\nram = "
    "\"r\"\n[vm.endpoints]\ne = \"h:1\"\n";

}  // namespace

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out, size_t) {
  if (index > 0) return 0;
  memcpy(out, kSeed.data(), kSeed.size());
  return kSeed.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = host_proxy::ParseConfig(
      // EDGE: bytes as characters.
      {reinterpret_cast<const char*>(data), size}, "f");
  if (!config.ok()) {
    const auto message = config.status().message();
    if (!message.starts_with("HP") ||
        message.find(": f:") == std::string_view::npos) {
      __builtin_trap();
    }
    return 0;
  }
  for (const auto& vm : config->vms) {
    if (vm.label.empty() || vm.socket.empty() || vm.ram.empty() ||
        vm.endpoints.empty()) {
      __builtin_trap();
    }
  }
  return 0;
}
