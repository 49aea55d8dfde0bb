// SPDX-License-Identifier: Apache-2.0
//
// Any bytes as each of the three files: a message is one printable line.
#include <string.h>

#include <string>

#include "base/bytes.h"
#include "boot/fake_initrd.h"
#include "boot/fake_kernel.h"
#include "cli/boot_warnings.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const cli::GivenFile file{"file", base::Bytes(data, size)};
  const auto warnings = cli::BootWarnings({.kernel = file,
                                           .initrd = file,
                                           .command_line = file,
                                           .memory = 64 << 20});
  for (const std::string& warning : warnings) {
    for (const char c : warning) {
      if (c < 0x20 || c == 0x7F) __builtin_trap();
    }
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 1) return 0;
  auto file = index == 0 ? boot::FakeKernel(0x400) : boot::FakeCpio(40);
  if (index == 0) {
    boot::Poke<uint8_t>(file, 0x1F1, 1);
    file.resize(2 * 512 + 0x400);
  }
  if (file.size() > capacity) return 0;
  memcpy(out, file.data(), file.size());
  return file.size();
}
