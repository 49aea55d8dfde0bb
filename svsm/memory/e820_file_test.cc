// SPDX-License-Identifier: Apache-2.0
#include "svsm/memory/e820_file.h"

#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "svsm/linux/reasons.h"
#include "svsm/memory/memory_map.h"

namespace svsm {
namespace {

struct Row {
  uint64_t address, size;
  uint32_t type;
};

std::vector<uint8_t> File(const std::vector<Row>& rows) {
  std::vector<uint8_t> file(rows.size() * kE820FileEntrySize);
  base::ByteWriter out(file);
  for (const Row& row : rows) {
    EXPECT_TRUE(out.U64(row.address).ok() && out.U64(row.size).ok() &&
                out.U32(row.type).ok());
  }
  return file;
}

// QEMU's q35 with 512 MiB.
const std::vector<Row> kQemu = {{0, 0x20000000, 1},
                                {0xFEFFC000, 0x4000, 2},
                                {0xFD00000000, 0x300000000, 2}};

std::array<HostMapEntry, MemoryMap::kMaxHostEntries> entries;

TEST(E820File, ReadsWhatQemuWrites) {
  const auto count = ReadE820File(File(kQemu), entries);
  ASSERT_TRUE(count.ok());
  ASSERT_EQ(*count, 3u);
  for (size_t i = 0; i < kQemu.size(); ++i) {
    EXPECT_EQ(entries[i].address, kQemu[i].address);
    EXPECT_EQ(entries[i].size, kQemu[i].size);
    EXPECT_EQ(entries[i].type, kQemu[i].type);
  }
  MemoryMap map;
  EXPECT_TRUE(
      map.Accept(std::span(entries).first(*count), {0x200000, 0x300000}).ok());
}

TEST(E820File, EveryTruncationInsideAnEntryFails) {
  const auto file = File(kQemu);
  for (size_t size = 0; size < file.size(); ++size) {
    const auto count = ReadE820File(base::Bytes(file).first(size), entries);
    EXPECT_EQ(count.ok(), size > 0 && size % kE820FileEntrySize == 0) << size;
    if (!count.ok()) EXPECT_EQ(count.status().reason(), kNoMemoryMap);
  }
}

TEST(E820File, FillsTheTableAndNoMore) {
  const std::vector<Row> full(entries.size(), {1, 2, 3});
  EXPECT_EQ(File(full).size(), kMaxE820FileSize);
  EXPECT_TRUE(ReadE820File(File(full), entries).ok());
  EXPECT_EQ(entries.back().type, 3u);
  const std::vector<Row> more(entries.size() + 1, {1, 2, 3});
  EXPECT_EQ(ReadE820File(File(more), entries).status().reason(),
            kTooManyRanges);
}

// What the map lets through is the map's to judge: any bytes of a right size
// are read, and none of them is out of bounds.
TEST(E820File, NoFlippedBitIsMoreThanAnotherEntry) {
  const auto good = File(kQemu);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    auto file = good;
    file[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    const auto count = ReadE820File(file, entries);
    ASSERT_TRUE(count.ok());
    EXPECT_EQ(*count, 3u);
  }
}

}  // namespace
}  // namespace svsm
