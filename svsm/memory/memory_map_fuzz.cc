// SPDX-License-Identifier: Apache-2.0
//
// The input is a host memory map: 20 bytes an entry (address, size, type).
#include <stddef.h>
#include <stdint.h>

#include <array>
#include <vector>

#include "base/bytes.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/memory_map.h"
#include "tools/fuzz_seed.h"

namespace {

constexpr size_t kEntrySize = 20;
constexpr svsm::Range kImage{0x200000, 0x300000};

void Check(bool held) {
  if (!held) __builtin_trap();
}

void CheckE820(const svsm::MemoryMap& map) {
  std::array<svsm::E820Entry, 128> e820;
  const auto count = map.MakeE820(e820);
  if (!count.ok()) return;  // too many entries
  uint64_t end = 0;
  for (size_t i = 0; i < *count; ++i) {
    Check(e820[i].address >= end && e820[i].size > 0);
    end = e820[i].address + e820[i].size;
    Check(end > e820[i].address);
    if (e820[i].type != svsm::E820Type::kRam) continue;
    Check(e820[i].address >= svsm::kPageSize);
    Check(end <= kImage.begin || e820[i].address >= kImage.end);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  base::ByteReader in({data, size});
  std::vector<svsm::HostMapEntry> entries;
  while (in.remaining() >= kEntrySize) {
    svsm::HostMapEntry entry;
    entry.address = *in.U64();
    entry.size = *in.U64();
    entry.type = *in.U32();
    entries.push_back(entry);
  }
  svsm::MemoryMap map;
  if (!map.Accept(entries, kImage).ok()) return 0;
  uint64_t below = UINT64_MAX;
  for (int i = 0; i < 8; ++i) {
    const auto range = map.Allocate(uint64_t{1} << (10 + 2 * i),
                                    svsm::kPageSize, below, svsm::Use::kKernel);
    if (!range.ok()) break;
    Check(range->end <= below && range->begin >= svsm::MemoryMap::kLowest);
    Check(!range->Overlaps(kImage));
    below = range->begin;
  }
  CheckE820(map);
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  // SeaBIOS on q35.
  constexpr svsm::HostMapEntry kMap[] = {
      {0x0, 0x9FC00, 1},         {0x9FC00, 0x400, 2},
      {0xF0000, 0x10000, 2},     {0x100000, 0x1FEDF000, 1},
      {0x1FFDF000, 0x21000, 2},  {0xB0000000, 0x10000000, 2},
      {0x100000000, 1 << 30, 1},
  };
  if (index > 0) return 0;
  base::ByteWriter writer({out, capacity});
  for (const svsm::HostMapEntry& entry : kMap) {
    if (!writer.U64(entry.address).ok() || !writer.U64(entry.size).ok() ||
        !writer.U32(entry.type).ok()) {
      return 0;
    }
  }
  return writer.size();
}
