// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "base/bytes.h"
#include "launch/elf.h"
#include "launch/elf_for_tests.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto elf = launch::Elf::Parse({data, size});
  if (!elf.ok()) return 0;
  for (const launch::Segment& segment : elf->segments()) {
    if (segment.file_bytes.data() < data ||
        segment.file_bytes.data() + segment.file_bytes.size() > data + size) {
      __builtin_trap();
    }
  }
  const auto section = elf->Section(".config");
  if (section.ok() &&
      (section->offset > size || section->size > size - section->offset)) {
    __builtin_trap();
  }
  for (const uint32_t type : {1u, 2u}) {
    const auto note = elf->Note("Forelock", type);
    if (note.ok() &&
        (note->data() < data || note->data() + note->size() > data + size)) {
      __builtin_trap();
    }
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 0) return 0;
  const auto file = launch::TestElf().Bytes();
  if (file.size() > capacity) return 0;
  std::copy(file.begin(), file.end(), out);
  return file.size();
}
