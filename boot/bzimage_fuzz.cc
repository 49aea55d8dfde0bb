// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/bytes.h"
#include "boot/bzimage.h"
#include "boot/fake_kernel.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const base::Bytes file(data, size);
  auto image = boot::ParseBzImage(file);
  if (!image.ok()) return 0;
  if (image->payload_offset > size ||
      image->payload_size > size - image->payload_offset ||
      image->payload_size > image->init_size ||
      image->setup_header.size() > 0x290 - 0x1F1) {
    __builtin_trap();
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 0) return 0;
  auto file = boot::FakeKernel(0x400);
  boot::Poke<uint8_t>(file, 0x1F1, 1);
  file.resize(2 * 512 + 0x400);
  if (file.size() > capacity) return 0;
  memcpy(out, file.data(), file.size());
  return file.size();
}
