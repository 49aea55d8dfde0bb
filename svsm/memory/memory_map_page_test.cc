// SPDX-License-Identifier: Apache-2.0
#include "svsm/memory/memory_map_page.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "proto/launch_note.h"
#include "svsm/linux/reasons.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/memory_map.h"

namespace svsm {
namespace {

constexpr Range kImage{0x200000, 0x300000};
constexpr uint16_t kMemory = proto::kMemoryMapTypeMemory;
constexpr uint16_t kPlatformReserved = 1;

struct Row {
  uint64_t first_page, pages;
  uint16_t type = kMemory;
};

class MemoryMapPageTest : public testing::Test {
 protected:
  void Write(const std::vector<Row>& rows) {
    page_.fill(0);
    base::ByteWriter out(page_);
    for (const Row& row : rows) {
      ASSERT_TRUE(out.U64(row.first_page).ok());
      ASSERT_TRUE(out.U64(row.pages).ok());
      ASSERT_TRUE(out.U16(row.type).ok());
      ASSERT_TRUE(out.U16(0xFFFF).ok());
      ASSERT_TRUE(out.U32(0xFFFFFFFF).ok());
    }
  }
  base::Result<size_t> Read() { return ReadMemoryMapPage(page_, entries_); }
  // As the image does: read, then judge.
  base::Reason Judge() {
    const auto count = Read();
    if (!count.ok()) return count.status().reason();
    MemoryMap map;
    return map.Accept(std::span(entries_).first(*count), kImage).reason();
  }

  std::array<uint8_t, proto::kMemoryMapPageSize> page_{};
  std::array<HostMapEntry, MemoryMap::kMaxHostEntries> entries_{};
};

TEST_F(MemoryMapPageTest, ReadsWhatQemuWrites) {
  Write({{0, 0x20000},
         {0xFEFFC, 4, kPlatformReserved},
         {0x100000, 0x40000},
         {0xFD00000, 0x300000, 7}});
  const auto count = Read();
  ASSERT_TRUE(count.ok());
  ASSERT_EQ(*count, 4u);
  EXPECT_EQ(entries_[0].address, 0u);
  EXPECT_EQ(entries_[0].size, 0x20000000u);
  EXPECT_EQ(entries_[0].type, 1u);
  EXPECT_EQ(entries_[1].type, 2u);
  EXPECT_EQ(entries_[2].address, 0x100000000u);
  EXPECT_EQ(entries_[3].type, 2u);
  EXPECT_EQ(Judge(), base::Reason());
}

TEST_F(MemoryMapPageTest, RefusesPagesThatNobodyWrote) {
  page_.fill(0);
  EXPECT_EQ(Read().status().reason(), kNoMemoryMap);
  for (const uint8_t byte : {0xFF, 0x80, 0x01}) {
    page_.fill(byte);
    EXPECT_FALSE(Read().ok()) << int{byte};
  }
}

TEST_F(MemoryMapPageTest, BoundsTheNumberOfEntries) {
  constexpr size_t kFit =
      proto::kMemoryMapPageSize / proto::kMemoryMapEntrySize;
  std::vector<Row> rows;
  for (uint64_t i = 0; i < kFit; ++i) rows.push_back({2 * i, 1});
  Write(rows);
  EXPECT_EQ(Read().status().reason(), kTooManyRanges);
  std::array<HostMapEntry, 200> many{};
  EXPECT_EQ(ReadMemoryMapPage(page_, many).status().reason(), kMapUnterminated);
  rows.pop_back();
  Write(rows);
  const auto all = ReadMemoryMapPage(page_, many);
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(*all, kFit - 1);
  EXPECT_EQ(Read().status().reason(), kTooManyRanges);
}

TEST_F(MemoryMapPageTest, RefusesWhatWraps) {
  for (const Row row : {Row{uint64_t{1} << 52, 1}, Row{0, uint64_t{1} << 52},
                        Row{UINT64_MAX, 1}, Row{0, UINT64_MAX}}) {
    Write({row});
    EXPECT_EQ(Read().status().reason(), kRangeWraps);
  }
  // The parser has no objection to these; the map has.
  Write({{0, 0x20000}, {(uint64_t{1} << 52) - 1, 1}});
  EXPECT_EQ(Judge(), kRangeWraps);
}

TEST_F(MemoryMapPageTest, RefusesHostileMaps) {
  const struct {
    const char* what;
    std::vector<Row> rows;
    base::Reason reason;
  } kRows[] = {
      {"overlap", {{0, 0x20000}, {0x1FFFF, 2}}, kRangeOverlaps},
      {"twice", {{0, 0x20000}, {0, 0x20000}}, kRangeOverlaps},
      {"reserved over the image",
       {{0, 0x20000}, {0x200, 1, kPlatformReserved}},
       kRangeOverlaps},
      {"image not in RAM", {{0, 0x200}}, kImageNotInRam},
      {"image half in RAM", {{0, 0x280}}, kImageNotInRam},
      {"image only reserved",
       {{0, 0x200}, {0x200, 0x100, kPlatformReserved}},
       kImageNotInRam},
      {"hole in the image", {{0, 0x280}, {0x281, 0x1000}}, kImageNotInRam},
      {"no RAM", {{0x200, 0x100, kPlatformReserved}}, kNoMemoryMap},
      {"RAM over the VMSA", {{0, 0x20000}, {0xFFFFFFFFF, 1}}, kRamTooHigh},
      {"RAM at the C-bit",
       {{0, 0x20000}, {(uint64_t{1} << 51 >> 12) + 0x200, 1}},
       kRamTooHigh},
  };
  for (const auto& row : kRows) {
    Write(row.rows);
    EXPECT_EQ(Judge(), row.reason) << row.what;
  }
}

TEST_F(MemoryMapPageTest, AnyFlippedBitIsReadOrRefused) {
  const std::vector<Row> rows = {{0, 0x20000}, {0x100000, 0x40000}};
  Write(rows);
  const auto good = page_;
  for (size_t bit = 0; bit < 3 * 24 * 8; ++bit) {
    page_ = good;
    page_[bit / 8] = static_cast<uint8_t>(page_[bit / 8] ^ (1 << (bit % 8)));
    static_cast<void>(Judge());
  }
}

TEST(MemoryMapUnaccepted, IsAllRamButTheImageAndTheLegacyHole) {
  const HostMapEntry kMap[] = {{0, 0x20000000, 1}, {0x100000000, 0x1000000, 1}};
  MemoryMap map;
  ASSERT_TRUE(map.Accept(kMap, kImage).ok());
  std::array<Range, 8> out;
  const auto count = map.MakeUnaccepted(out);
  ASSERT_TRUE(count.ok());
  const std::vector<Range> expected = {{0, 0xA0000},
                                       {0x100000, 0x200000},
                                       {0x300000, 0x20000000},
                                       {0x100000000, 0x101000000}};
  EXPECT_EQ(std::vector<Range>(out.begin(), out.begin() + *count), expected);
  EXPECT_EQ(map.MakeUnaccepted(std::span(out).first(3)).status().reason(),
            kTooManyRanges);
}

TEST(MemoryMapRomArea, IsWipedOnlyWhenTaken) {
  const auto wipes_rom = [](const MemoryMap& map) {
    std::array<Range, 8> out;
    const auto count = map.MakeWipes(out);
    EXPECT_TRUE(count.ok());
    return std::count(out.begin(), out.begin() + *count, MemoryMap::kRomArea) ==
           1;
  };
  const HostMapEntry kAll[] = {{0, 0x20000000, 1}};
  MemoryMap map;
  ASSERT_TRUE(map.Accept(kAll, kImage).ok());
  EXPECT_TRUE(map.HasRomArea());
  EXPECT_FALSE(wipes_rom(map));
  map.WipeRomArea();
  EXPECT_TRUE(wipes_rom(map));
  std::array<E820Entry, 16> e820;
  const auto count = map.MakeE820(e820);
  ASSERT_TRUE(count.ok());
  for (size_t i = 0; i < *count; ++i) {
    EXPECT_FALSE(MemoryMap::kRomArea.Overlaps(
        {e820[i].address, e820[i].address + e820[i].size}));
  }

  const HostMapEntry kHole[] = {{0, 0xA0000, 1}, {0x100000, 0x20000000, 1}};
  MemoryMap other;
  ASSERT_TRUE(other.Accept(kHole, kImage).ok());
  EXPECT_FALSE(other.HasRomArea());
}

}  // namespace
}  // namespace svsm
