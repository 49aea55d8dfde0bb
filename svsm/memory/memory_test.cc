// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <random>
#include <vector>

#include "base/result.h"
#include "gtest/gtest.h"
#include "svsm/linux/reasons.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"

namespace svsm {
namespace {

constexpr Range kImage{0x200000, 0x300000};

// What SeaBIOS hands to a PVH image on q35 with 512 MiB.
const std::vector<HostMapEntry> kSeaBios = {
    {0x0, 0x9FC00, 1},
    {0x9FC00, 0x400, 2},
    {0xF0000, 0x10000, 2},
    {0x100000, 0x1FEDF000, 1},
    {0x1FFDF000, 0x21000, 2},
    {0xB0000000, 0x10000000, 2},
    {0xFD00000000, 0x300000000, 2},
};

TEST(Range, RefusesWhatIsNotWholePages) {
  EXPECT_EQ(MakeRange(1, kPageSize).status().reason(), kRangeNotAligned);
  EXPECT_EQ(MakeRange(0, 1).status().reason(), kRangeNotAligned);
  EXPECT_EQ(MakeRange(0, 0).status().reason(), kRangeWraps);
  EXPECT_EQ(MakeRange(UINT64_MAX - 4095, 4096).status().reason(), kRangeWraps);
  EXPECT_TRUE(MakeRange(UINT64_MAX - 8191, 4096).ok());
}

// Against a bitmap of 64 pages, with a fixed seed.
TEST(IntervalSet, AgreesWithABitmap) {
  std::mt19937 random(1);
  IntervalSet<32> set;
  uint64_t bits = 0;
  for (int step = 0; step < 20000; ++step) {
    const uint64_t begin = random() % 64;
    const uint64_t size = 1 + random() % (64 - begin);
    const uint64_t mask =
        (size == 64 ? ~uint64_t{0} : ((uint64_t{1} << size) - 1)) << begin;
    const Range range{begin * kPageSize, (begin + size) * kPageSize};
    EXPECT_EQ(set.Contains(range), (bits & mask) == mask);
    EXPECT_EQ(set.Overlaps(range), (bits & mask) != 0);
    if (random() % 2 == 0) {
      EXPECT_EQ(set.Insert(range).ok(), (bits & mask) == 0);
      if ((bits & mask) == 0) bits |= mask;
    } else {
      EXPECT_EQ(set.Remove(range).ok(), (bits & mask) == mask);
      if ((bits & mask) == mask) bits &= ~mask;
    }
    uint64_t seen = 0;
    uint64_t last_end = 0;
    for (const Range here : set.ranges()) {
      // Touching neighbours would have been merged.
      EXPECT_TRUE(seen == 0 || here.begin > last_end);
      last_end = here.end;
      for (uint64_t at = here.begin; at < here.end; at += kPageSize) {
        seen |= uint64_t{1} << (at / kPageSize);
      }
    }
    ASSERT_EQ(seen, bits);
  }
}

TEST(IntervalSet, SaysWhenItIsFull) {
  IntervalSet<2> set;
  EXPECT_TRUE(set.Insert({0x1000, 0x2000}).ok());
  EXPECT_TRUE(set.Insert({0x3000, 0x8000}).ok());
  EXPECT_EQ(set.Insert({0xA000, 0xB000}).reason(), kTooManyRanges);
  EXPECT_EQ(set.Remove({0x4000, 0x5000}).reason(), kTooManyRanges);
  EXPECT_TRUE(set.Contains({0x3000, 0x8000}));
  EXPECT_EQ(set.Insert({0x5000, 0x5000}).reason(), kRangeWraps);
}

TEST(MemoryMap, TakesSeaBiosMap) {
  MemoryMap map;
  ASSERT_TRUE(map.Accept(kSeaBios, kImage).ok());
  // Firmware's partial page is nobody's RAM.
  EXPECT_EQ(map.ram()[0], (Range{0, 0x9F000}));
  EXPECT_EQ(map.ram()[1], (Range{0x100000, 0x1FFDF000}));

  std::array<E820Entry, 32> e820;
  auto count = map.MakeE820(e820);
  ASSERT_TRUE(count.ok());
  uint64_t end = 0;
  for (size_t i = 0; i < *count; ++i) {
    EXPECT_GE(e820[i].address, end);
    end = e820[i].address + e820[i].size;
    if (e820[i].type != E820Type::kRam) continue;
    EXPECT_GE(e820[i].address, kPageSize);
    EXPECT_TRUE(end <= 0xA0000 || e820[i].address >= 0x100000);
    EXPECT_TRUE(end <= kImage.begin || e820[i].address >= kImage.end);
  }
  EXPECT_EQ(e820[0].address, kPageSize);
  EXPECT_EQ(e820[1].address, 0x9F000u);
  EXPECT_EQ(e820[1].type, E820Type::kReserved);
}

TEST(MemoryMap, SkipsQbootsEmptyLastEntry) {
  auto entries = kSeaBios;
  entries.push_back({0, 0, 0});
  MemoryMap map;
  EXPECT_TRUE(map.Accept(entries, kImage).ok());
}

TEST(MemoryMap, RefusesABadHostMap) {
  const struct {
    const char* what;
    HostMapEntry extra;
    base::Reason reason;
  } kRows[] = {
      {"RAM over RAM", {0x110000, 0x1000, 1}, kRangeOverlaps},
      {"reserved over RAM", {0x1000, 0x10, 2}, kRangeOverlaps},
      {"one byte", {0x1FFDEFFF, 1, 2}, kRangeOverlaps},
      {"around everything", {0, 0xFFFFFFFF0000, 2}, kRangeOverlaps},
      {"wraps", {0xFFFFFFFFFFFF0000, 0x20000, 1}, kRangeWraps},
      {"ends at 2^64", {0xFFFFFFFFFFFF0000, 0x10000, 1}, kRangeWraps},
      {"in the last page", {0xFFFFFFFFFFFF0000, 0xF001, 1}, kRangeWraps},
      {"empty RAM", {0x40000000, 0, 1}, kRangeWraps},
      {"size 0 type 2", {0x40000000, 0, 2}, kRangeWraps},
  };
  for (const auto& row : kRows) {
    for (const bool first : {true, false}) {
      auto entries = kSeaBios;
      entries.insert(first ? entries.begin() : entries.end(), row.extra);
      MemoryMap map;
      EXPECT_EQ(map.Accept(entries, kImage).reason(), row.reason) << row.what;
    }
  }
  MemoryMap empty;
  EXPECT_EQ(empty.Accept({}, kImage).reason(), kNoMemoryMap);
  MemoryMap outside;
  EXPECT_EQ(outside.Accept(kSeaBios, {0x1FF00000, 0x20000000}).reason(),
            kImageNotInRam);
  MemoryMap below;
  EXPECT_EQ(below.Accept(kSeaBios, {0x10000, 0x20000}).reason(),
            kImageNotInRam);
  const std::vector<HostMapEntry> many(129, HostMapEntry{0, 0, 0});
  MemoryMap full;
  EXPECT_EQ(full.Accept(many, kImage).reason(), kTooManyRanges);
}

TEST(MemoryMap, BoundsTheSumOfRam) {
  constexpr uint64_t kGiB = uint64_t{1} << 30;
  const auto accept = [](uint64_t second, uint64_t third) {
    MemoryMap map;
    return map
        .Accept({{{0, kGiB, 1},
                  {MemoryMap::k4GiB, second, 1},
                  {uint64_t{1} << 45, third, 1},
                  // What is not RAM does not count.
                  {uint64_t{1} << 44, uint64_t{1} << 43, 2}}},
                kImage)
        .reason();
  };
  constexpr uint64_t kRest = MemoryMap::kMostRam - kGiB;
  EXPECT_EQ(accept(kRest - kGiB, kGiB), base::Reason());
  EXPECT_EQ(accept(kRest - kGiB, kGiB + kPageSize), kRamTooHigh);
  EXPECT_EQ(accept(kRest, kPageSize), kRamTooHigh);
  EXPECT_EQ(accept(kPageSize, (uint64_t{1} << 45)), kRamTooHigh);
}

// There the launch of a ROM has validated pages already, and the APICs are.
TEST(MemoryMap, RefusesRamInTheDeviceHole) {
  const auto accept = [](uint64_t address, uint64_t size) {
    MemoryMap map;
    return map.Accept({{{0, 0x40000000, 1}, {address, size, 1}}}, kImage)
        .reason();
  };
  EXPECT_EQ(accept(0xFFF80000, 0x80000), kRamInDeviceHole);
  EXPECT_EQ(accept(0xFFFFF000, kPageSize), kRamInDeviceHole);
  EXPECT_EQ(accept(0xFEE00000, kPageSize), kRamInDeviceHole);
  EXPECT_EQ(accept(0xBFFFF000, 2 * kPageSize), kRamInDeviceHole);
  EXPECT_EQ(accept(0xFFFFF000, 2 * kPageSize), kRamInDeviceHole);
  EXPECT_EQ(accept(0x80000000, uint64_t{1} << 33), kRamInDeviceHole);
  EXPECT_EQ(accept(0xBFFFF000, kPageSize), base::Reason());
  EXPECT_EQ(accept(MemoryMap::k4GiB, kPageSize), base::Reason());
  // Less than a page of it is none.
  EXPECT_EQ(accept(0xBFFFF000, kPageSize + 1), base::Reason());
}

TEST(MemoryMap, AllocatesFromTheTopWithinLimits) {
  MemoryMap map;
  ASSERT_TRUE(map.Accept(kSeaBios, kImage).ok());
  auto top = map.Allocate(1, kPageSize, UINT64_MAX, Use::kKernel);
  ASSERT_TRUE(top.ok());
  EXPECT_EQ(*top, (Range{0x1FFDE000, 0x1FFDF000}));
  auto aligned = map.Allocate(0x1001, 0x200000, 0x10000000, Use::kKernel);
  ASSERT_TRUE(aligned.ok());
  EXPECT_EQ(*aligned, (Range{0xFE00000, 0xFE02000}));
  EXPECT_TRUE(map.AllocateAt({0x1000000, 0x2000000}, Use::kKernel).ok());
  EXPECT_EQ(map.AllocateAt({0x1FFF000, 0x2001000}, Use::kKernel).reason(),
            kNoMemory);
  EXPECT_EQ(map.AllocateAt({0x2FF000, 0x301000}, Use::kKernel).reason(),
            kNoMemory);
  // Between 1 MiB and the image, and nothing below 1 MiB.
  auto low = map.Allocate(0x100000, kPageSize, 0x200000, Use::kAcpi);
  ASSERT_TRUE(low.ok());
  EXPECT_EQ(low->begin, 0x100000u);
  EXPECT_EQ(map.Allocate(1, kPageSize, 0x200000, Use::kAcpi).status().reason(),
            kNoMemory);
  EXPECT_EQ(
      map.Allocate(0, kPageSize, UINT64_MAX, Use::kAcpi).status().reason(),
      kNoMemory);
  EXPECT_EQ(map.Allocate(UINT64_MAX, kPageSize, UINT64_MAX, Use::kAcpi)
                .status()
                .reason(),
            kNoMemory);
  EXPECT_EQ(map.Allocate(0x20000000, kPageSize, UINT64_MAX, Use::kAcpi)
                .status()
                .reason(),
            kNoMemory);
  EXPECT_EQ(map.Allocate(1, 3000, UINT64_MAX, Use::kAcpi).status().reason(),
            kRangeNotAligned);

  std::array<E820Entry, 32> e820;
  auto count = map.MakeE820(e820);
  ASSERT_TRUE(count.ok());
  bool acpi_seen = false;
  for (size_t i = 0; i < *count; ++i) {
    if (e820[i].type != E820Type::kAcpiNvs) continue;
    acpi_seen = true;
    EXPECT_EQ(e820[i].address, 0x100000u);
    EXPECT_EQ(e820[i].size, 0x100000u);
  }
  EXPECT_TRUE(acpi_seen);
  std::array<E820Entry, 3> small;
  EXPECT_EQ(map.MakeE820(small).status().reason(), kTooManyRanges);
}

TEST(MemoryMap, TellsLinuxOfRamAbove4GiBAndUsesNone) {
  auto entries = kSeaBios;
  entries.push_back({0x100000000, 0x100000000, 1});
  MemoryMap map;
  ASSERT_TRUE(map.Accept(entries, kImage).ok());
  EXPECT_EQ(map.AllocateAt({0x100000000, 0x100200000}, Use::kKernel).reason(),
            kNoMemory);
  auto top = map.Allocate(1, kPageSize, UINT64_MAX, Use::kKernel);
  ASSERT_TRUE(top.ok());
  EXPECT_EQ(top->end, 0x1FFDF000u);
  EXPECT_EQ(map.ram().back(), (Range{0x100000000, 0x200000000}));
}

TEST(MemoryMap, RandomHostMapsNeverGiveOverlap) {
  std::mt19937_64 random(2);
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<HostMapEntry> entries;
    for (uint64_t n = random() % 6; n > 0; --n) {
      const uint64_t address = random() % 0x4000000;
      entries.push_back({address, random() % 0x2000000,
                         static_cast<uint32_t>(1 + random() % 2)});
    }
    MemoryMap map;
    if (!map.Accept(entries, kImage).ok()) continue;
    ++accepted;
    while (map.Allocate(random() % 0x800000, kPageSize, UINT64_MAX,
                        static_cast<Use>(random() % 3))
               .ok()) {
    }
    std::array<E820Entry, 128> e820;
    auto count = map.MakeE820(e820);
    ASSERT_TRUE(count.ok());
    uint64_t end = 0;
    for (size_t i = 0; i < *count; ++i) {
      ASSERT_GE(e820[i].address, end);
      ASSERT_GT(e820[i].size, 0u);
      end = e820[i].address + e820[i].size;
    }
  }
  EXPECT_GT(accepted, 100);
}

TEST(PhysicalWindow, SeesTheBufferAtItsAddress) {
  std::array<uint8_t, 8192> memory{};
  const auto window = PhysicalWindow::Over(memory, 0x200000);
  window.At(0x201000, 1)[0] = 7;
  EXPECT_EQ(memory[4096], 7);
  EXPECT_EQ(window.At(Range{0x200000, 0x202000}).size(), 8192u);
  EXPECT_DEATH((void)window.At(0x201000, 4097), "");
  EXPECT_DEATH((void)window.At(0x1FFFFF, 1), "");
}

}  // namespace
}  // namespace svsm
