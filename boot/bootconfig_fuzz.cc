// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/result.h"
#include "boot/bootconfig.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const base::Result<size_t> found = boot::BootconfigSize({data, size});
  if (found.ok() && *found > size) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  constexpr char kTrailer[] = "archive-ab\2\0\0\0\xC3\0\0\0#BOOTCONFIG\n";
  const size_t size = sizeof(kTrailer) - 1;
  if (index > 0 || size > capacity) return 0;
  memcpy(out, kTrailer, size);
  return size;
}
