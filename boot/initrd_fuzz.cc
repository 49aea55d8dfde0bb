// SPDX-License-Identifier: Apache-2.0
#include "boot/initrd.h"

#include <string.h>

#include "base/bytes.h"
#include "boot/fake_initrd.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const boot::InitrdLook look = boot::LookAtInitrd(base::Bytes(data, size));
  if (look.offset > size) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  constexpr uint8_t kZstd[] = {0x28, 0xB5, 0x2F, 0xFD, 0x84, 0x68,
                               0,    0,    0,    0x10, 0,    0};
  constexpr uint8_t kXz[] = {0xFD, '7', 'z', 'X', 'Z', 0, 0, 1};
  constexpr uint8_t kGzip[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 3, 0, 0, 0, 0};
  auto file = boot::FakeCpio(40);
  switch (index) {
    case 0:
      file.insert(file.end(), kZstd, kZstd + sizeof(kZstd));
      break;
    case 1:
      file.insert(file.end(), kXz, kXz + sizeof(kXz));
      break;
    case 2:
      file.insert(file.end(), kGzip, kGzip + sizeof(kGzip));
      break;
    default:
      return 0;
  }
  if (file.size() > capacity) return 0;
  memcpy(out, file.data(), file.size());
  return file.size();
}
