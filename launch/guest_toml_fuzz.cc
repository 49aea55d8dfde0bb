// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include <string_view>

#include "launch/guest_toml.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // EDGE: char may alias the bytes.
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = launch::ParseGuestToml(text, "fuzz.toml");
  if (!config.ok()) return 0;
  const auto again =
      launch::ParseGuestToml(launch::ToGuestToml(*config), "again.toml");
  if (!again.ok()) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  constexpr std::string_view kSeed =
      "version = 1\nplatform = \"snp\"\nvm = \"a\"\nverifier = \"v\"\n"
      "verifier_pins = [\"sha256:00112233445566778899aabbccddeeff"
      "00112233445566778899aabbccddeeff\"]\nacpi = \"none\"\n"
      "[[resource]]\nname = \"n\"\nkind = \"file\"\npath = \"/a\"\n"
      "[channel]\ntransport = \"page\"\nport = 0x5f0\n"
      "[deadlines]\nproxy_ms = 1\n";
  if (index > 0 || kSeed.size() > capacity) return 0;
  memcpy(out, kSeed.data(), kSeed.size());
  return kSeed.size();
}
