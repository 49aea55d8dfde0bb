// SPDX-License-Identifier: Apache-2.0
//
// The input is a memory-map page, zeros behind its end. What the map lets
// through must be fit to be accepted: inside its limits, without the image, no
// page twice.
#include <stddef.h>
#include <stdint.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "proto/launch_note.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/memory_map_page.h"
#include "tools/fuzz_seed.h"

namespace {

constexpr svsm::Range kImage{0x200000, 0x300000};

void Check(bool held) {
  if (!held) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::array<uint8_t, proto::kMemoryMapPageSize> page{};
  std::copy_n(data, std::min(size, page.size()), page.begin());
  std::array<svsm::HostMapEntry, svsm::MemoryMap::kMaxHostEntries> entries;
  const auto count = svsm::ReadMemoryMapPage(page, entries);
  if (!count.ok()) return 0;
  Check(*count > 0 && *count <= entries.size());
  svsm::MemoryMap map;
  if (!map.Accept(std::span(entries).first(*count), kImage).ok()) return 0;
  std::array<svsm::Range, 2 * svsm::MemoryMap::kMaxRanges> unaccepted;
  const auto ranges = map.MakeUnaccepted(unaccepted);
  if (!ranges.ok()) return 0;
  uint64_t end = 0;
  for (size_t i = 0; i < *ranges; ++i) {
    const svsm::Range range = unaccepted[i];
    Check(range.begin >= end && range.begin < range.end);
    Check(((range.begin | range.end) & (svsm::kPageSize - 1)) == 0);
    Check(range.end <= svsm::MemoryMap::kHighest);
    Check(!range.Overlaps(kImage) && !range.Overlaps({0xA0000, 0x100000}));
    end = range.end;
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  // QEMU's q35 with 512 MiB, then with RAM above 4 GiB.
  constexpr uint64_t kPages[][3] = {
      {0, 0x20000, 0}, {0xFEFFC, 4, 1}, {0x100000, 0x40000, 0}};
  if (index > 1) return 0;
  base::ByteWriter writer({out, capacity});
  for (size_t i = 0; i < 2 + index; ++i) {
    if (!writer.U64(kPages[i][0]).ok() || !writer.U64(kPages[i][1]).ok() ||
        !writer.U64(kPages[i][2]).ok()) {
      return 0;
    }
  }
  return writer.size();
}
