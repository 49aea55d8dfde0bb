// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/handover.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/reasons.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "svsm/fw_cfg/fake_fw_cfg.h"
#include "svsm/linux/boot_files.h"
#include "svsm/linux/boot_params.h"
#include "svsm/linux/bzimage.h"
#include "svsm/linux/cpio.h"
#include "svsm/linux/fake_handover.h"
#include "svsm/linux/fake_kernel.h"
#include "svsm/linux/reasons.h"
#include "svsm/linux/trampoline_page.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/memory_map.h"

namespace svsm {
namespace {

TEST_F(HandoverTest, PutsEverythingInItsPlace) {
  ASSERT_TRUE(Load(AcpiSource::kFromHost).ok());
  auto handover = Prepare();
  ASSERT_TRUE(handover.ok()) << base::NameOf(handover.status().reason()).text;
  EXPECT_EQ(handover->entry, 0x1000200u);
  const auto kernel = FakeKernel();
  EXPECT_TRUE(base::Equal(window_.At(0x1000000, 0x2000),
                          base::Bytes(kernel).subspan(40 * 512)));

  const uint64_t page = handover->zero_page;
  EXPECT_EQ(Read<uint32_t>(page + 0x202), 0x53726448u);
  EXPECT_EQ(Read<uint8_t>(page + 0x210), 0xFF);
  EXPECT_EQ(Read<uint8_t>(page + 0x211), 1);
  EXPECT_EQ(Read<uint32_t>(page + 0x218), handover->initrd);
  EXPECT_EQ(Read<uint32_t>(page + 0x21C), handover->initrd_size);
  EXPECT_EQ(Read<uint32_t>(page + 0x228), files_.cmdline.memory.begin);
  EXPECT_EQ(Read<uint64_t>(page + 0x070), files_.acpi[0].memory.begin);
  const uint64_t node = Read<uint64_t>(page + 0x250);
  EXPECT_EQ(node, handover->rng_seed);
  EXPECT_EQ(Read<uint64_t>(node), 0u);
  EXPECT_EQ(Read<uint32_t>(node + 8), 9u);
  EXPECT_EQ(Read<uint32_t>(node + 12), 32u);
  EXPECT_TRUE(base::Equal(window_.At(node + 16, 32), seed_));

  // The archive starts at a multiple of 4 behind the initrd and a gap.
  EXPECT_EQ(handover->secrets, handover->initrd + 5012);
  EXPECT_EQ(handover->initrd_size, 5012 + handover->secrets_size);
  EXPECT_EQ(Count(memory_, "a-key-of-which-there-is-one-copy"), 1u);
  EXPECT_EQ(Count(memory_, "a-file-of-which-there-is-one-copy"), 1u);
  EXPECT_EQ(Count(memory_, std::string(32, '\xEE')), 1u);

  // RAM in the kernel's map covers what it gets, and not the image.
  const size_t entries = Read<uint8_t>(page + 0x1E8);
  bool zero_page_is_ram = false;
  for (size_t i = 0; i < entries; ++i) {
    const uint64_t at = page + 0x2D0 + 20 * i;
    const uint64_t begin = Read<uint64_t>(at);
    const uint64_t end = begin + Read<uint64_t>(at + 8);
    if (Read<uint32_t>(at + 16) != 1) continue;
    EXPECT_TRUE(end <= kImage.begin || begin >= kImage.end);
    zero_page_is_ram |= begin <= page && page < end;
  }
  EXPECT_TRUE(zero_page_is_ram);
}

TEST_F(HandoverTest, ListsEveryPageOfTheSvsm) {
  ASSERT_TRUE(Load(AcpiSource::kFromHost).ok());
  auto channel =
      map_.Allocate(5 * kPageSize, kPageSize, UINT64_MAX, Use::kSvsm);
  ASSERT_TRUE(channel.ok());
  auto handover = Prepare();
  ASSERT_TRUE(handover.ok());
  IntervalSet<8> listed;
  for (uint64_t at = handover->trampoline + FORELOCK_TRAMPOLINE_RANGES;;
       at += 16) {
    const uint64_t begin = Read<uint64_t>(at);
    const uint64_t words = Read<uint64_t>(at + 8);
    if (words == 0) break;
    ASSERT_TRUE(listed.Insert({begin, begin + words * 8}).ok());
  }
  EXPECT_TRUE(listed.Contains(kImage));
  EXPECT_TRUE(listed.Contains(*channel));
  EXPECT_TRUE(listed.Contains(files_.acpi[2].memory));  // the loader's commands
  // Host firmware's: vectors, BIOS data, the EBDA, page 0 too.
  EXPECT_TRUE(listed.Contains({0, 0x9F000}));
  EXPECT_FALSE(listed.Overlaps({0x9F000, kImage.begin}));
  for (const uint64_t kept :
       {handover->trampoline, handover->page_tables, handover->zero_page,
        handover->initrd, handover->secrets, handover->entry,
        files_.cmdline.memory.begin, files_.acpi[0].memory.begin,
        files_.acpi[1].memory.begin}) {
    const uint64_t page = PageDown(kept);
    EXPECT_FALSE(listed.Overlaps({page, page + kPageSize})) << std::hex << kept;
  }
}

TEST_F(HandoverTest, MapsFourGigabytesOneToOne) {
  ASSERT_TRUE(Load(AcpiSource::kNone).ok());
  ASSERT_TRUE(Plan(uint64_t{1} << 51).ok());
  const Handover* const handover = &handover_;
  const uint64_t address_bits = (uint64_t{1} << 51) - 4096;
  for (const uint64_t address : {uint64_t{0}, uint64_t{0x200000},
                                 handover->entry, uint64_t{0xFFFFFFFF}}) {
    const uint64_t root = Read<uint64_t>(handover->page_tables);
    const uint64_t pointer =
        Read<uint64_t>((root & address_bits) + 8 * (address >> 30));
    const uint64_t entry =
        Read<uint64_t>((pointer & address_bits) + 8 * ((address >> 21) & 511));
    for (const uint64_t level : {root, pointer, entry}) {
      EXPECT_EQ(level & 0x8000000000000003, 3u);
      EXPECT_NE(level & (uint64_t{1} << 51), 0u);
    }
    EXPECT_NE(entry & 0x80, 0u);
    EXPECT_EQ((entry & address_bits) & ~uint64_t{0x1FFFFF},
              address & ~uint64_t{0x1FFFFF});
  }
}

TEST_F(HandoverTest, WithoutAcpiGivesAnEmptyRoot) {
  ASSERT_TRUE(Load(AcpiSource::kNone).ok());
  auto handover = Prepare();
  ASSERT_TRUE(handover.ok());
  const uint64_t rsdp = Read<uint64_t>(handover->zero_page + 0x70);
  EXPECT_EQ(Read<uint64_t>(rsdp), 0x2052545020445352u);  // "RSD PTR "
  EXPECT_EQ(Count(memory_, "DSDT"), 0u);
}

TEST_F(HandoverTest, MovesTheKernelIfItsPlaceIsTaken) {
  ASSERT_TRUE(Load(AcpiSource::kNone).ok());
  ASSERT_TRUE(map_.AllocateAt({0x1200000, 0x1201000}, Use::kKernel).ok());
  auto handover = Prepare();
  ASSERT_TRUE(handover.ok());
  EXPECT_GT(handover->entry, 0x1201000u);
  EXPECT_EQ((handover->entry - 0x200) % 0x200000, 0u);
}

TEST_F(HandoverTest, RefusesAKernelThatCannotMove) {
  auto kernel = FakeKernel();
  Poke<uint8_t>(kernel, 0x234, 0);
  ASSERT_TRUE(Load(AcpiSource::kNone, kernel).ok());
  ASSERT_TRUE(map_.AllocateAt({0x1200000, 0x1201000}, Use::kKernel).ok());
  EXPECT_EQ(Plan().reason(), kKernelNoPlace);
}

// The host says that there is RAM, the kernel that it wants to lie there, and
// nobody maps it.
TEST_F(HandoverTest, RefusesAKernelAbove4GiB) {
  auto kernel = FakeKernel();
  Poke<uint64_t>(kernel, 0x258, 0x100000000);
  // When its header is read, long before anything is granted.
  EXPECT_EQ(Load(AcpiSource::kNone, kernel).reason(), kKernelHeader);
}

TEST_F(HandoverTest, RefusesAKernelLargerThanMemory) {
  auto kernel = FakeKernel();
  Poke<uint32_t>(kernel, 0x260, 0x7FFFFFFF);
  ASSERT_TRUE(Load(AcpiSource::kNone, kernel).ok());
  EXPECT_EQ(Plan().reason(), kKernelNoPlace);
}

// The places are the configuration's, so none of this waits for a secret.
TEST_F(HandoverTest, PlanRefusesPlacesThatNoSecretCanHave) {
  const Blob big(100000);
  const struct {
    const char* what;
    FileSecret extra;
    base::Reason reason;
  } kRows[] = {
      {"path", {"/etc/../x", {}}, kCpioPath},
      {"twice", {"/etc/secret", {}}, kCpioDuplicate},
      {"below a file", {"/etc/secret/x", {}}, kCpioDuplicate},
      {"too large", {"/big", big}, kCpioFull},
  };
  for (const auto& row : kRows) {
    device_ = FakeFwCfg();
    map_ = MemoryMap();
    ASSERT_TRUE(Load(AcpiSource::kNone).ok());
    secrets_.resize(1);
    secrets_.push_back(row.extra);
    EXPECT_EQ(Plan().reason(), row.reason) << row.what;
  }
}

TEST_F(HandoverTest, PlanFailsWhereMemoryIsShort) {
  // The kernel's place, a page for the empty ACPI root, and `pages` more: two
  // of parameters, and the trampoline's seven.
  for (uint64_t pages = 0; pages <= 9; ++pages) {
    device_ = FakeFwCfg();
    map_ = MemoryMap();
    ASSERT_TRUE(Load(AcpiSource::kNone).ok());
    ASSERT_TRUE(map_.AllocateAt({0x100000, 0x200000}, Use::kKernel).ok());
    ASSERT_TRUE(map_.AllocateAt({0x300000, 0x1000000}, Use::kKernel).ok());
    ASSERT_TRUE(map_.AllocateAt({0x1401000 + pages * kPageSize,
                                 files_.cmdline.memory.begin},
                                Use::kKernel)
                    .ok());
    const base::Status planned = Plan();
    EXPECT_EQ(planned.ok(), pages == 9) << pages;
    if (!planned.ok()) EXPECT_EQ(planned.reason(), kNoMemory) << pages;
  }
  EXPECT_TRUE(Fill().ok());
}

// The ACPI files are patched and checked, the wipes and the memory map made,
// before anything is granted.
TEST_F(HandoverTest, PlanRunsTheTableLoader) {
  acpi_.loader[0] = 9;  // no such command
  ASSERT_TRUE(Load(AcpiSource::kFromHost).ok());
  EXPECT_EQ(Plan().reason(), kLoaderCommand);
}

TEST_F(HandoverTest, FillAllocatesNothing) {
  ASSERT_TRUE(Load(AcpiSource::kFromHost).ok());
  ASSERT_TRUE(Plan().ok());
  const size_t before = map_.allocations().size();
  ASSERT_TRUE(Fill().ok());
  EXPECT_EQ(map_.allocations().size(), before);
}

// Whatever was planned can be filled, up to the last byte of each secret.
TEST_F(HandoverTest, WhatWasPlannedCanBeFilled) {
  const Blob key(64, 'k');
  std::array<char, 200> folder;
  folder.fill('d');
  for (size_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    device_ = FakeFwCfg();
    map_ = MemoryMap();
    initrd_.assign(1 + seed * 37 % 101, 0x55);
    std::vector<std::string> names;
    std::vector<SecretPlace> places;
    uint64_t bytes = 0;
    for (size_t i = 0; i <= seed % 8; ++i) {
      names.push_back("/" + std::string(folder.data(), seed * (i + 1) % 200) +
                      std::to_string(i) + (seed % 3 == 0 ? "/x" : ""));
    }
    for (size_t i = 0; i < names.size(); ++i) {
      const bool disk = (seed + i) % 4 == 0;
      places.push_back(
          {disk ? SecretPlace::Kind::kDisk : SecretPlace::Kind::kFile,
           disk ? std::string_view(names[i]).substr(names[i].size() - 1)
                : std::string_view(names[i]),
           1 + seed * 7 % 64});
      if (disk && seed % 3 == 0) places.back().place = "vx";
      bytes += places.back().max_size;
    }
    ASSERT_TRUE(Load(AcpiSource::kNone, FakeKernel(),
                     RoomBehindInitrd(places.size(), bytes))
                    .ok());
    const base::Status planned =
        PlanKernel(files_, map_, window_, {.secrets = places}, handover_);
    if (!planned.ok()) {  // two disks of one name
      EXPECT_EQ(planned.reason(), kCpioDuplicate);
      continue;
    }
    for (const size_t spare : {0u, 1u, 1000u}) {
      disks_.clear();
      secrets_.clear();
      for (const SecretPlace& place : places) {
        const size_t size = place.max_size - std::min(spare, place.max_size);
        if (place.kind == SecretPlace::Kind::kDisk) {
          disks_.push_back(
              {place.place, base::Bytes(key).first(size), UINT64_MAX, digest_});
        } else {
          secrets_.push_back({place.place, base::Bytes(key).first(size)});
        }
      }
      EXPECT_TRUE(Fill().ok()) << spare;
    }
  }
}

TEST_F(HandoverTest, FillLeavesNoSecretBehindWhenItFails) {
  ASSERT_TRUE(Load(AcpiSource::kNone).ok());
  ASSERT_TRUE(Plan().ok());
  const Blob big(100000);
  secrets_.push_back({"/never-planned", big});
  EXPECT_EQ(Fill().status().reason(), kCpioFull);
  EXPECT_EQ(Count(memory_, "a-key-of-which-there-is-one-copy"), 0u);
  EXPECT_EQ(Count(memory_, std::string(32, '\xEE')), 0u);
}

TEST(TrampolinePage, SaysWhenTheListIsFull) {
  std::vector<Range> all(200, {0x200000, 0x201000});
  std::array<uint8_t, kTrampolineSize> page;
  EXPECT_EQ(WriteTrampolineData(all, 0x5000, 0, 0, page).reason(),
            kTooManyWipes);
  all.resize(MemoryMap::kMaxAllocations + MemoryMap::kMaxRanges);
  EXPECT_TRUE(WriteTrampolineData(all, 0x5000, 0, 0, page).ok());
}

TEST(BootParams, BoundsE820) {
  const auto kernel = FakeKernel();
  auto image = ParseBzImage(kernel);
  ASSERT_TRUE(image.ok());
  std::vector<E820Entry> e820(129);
  std::array<uint8_t, kZeroPageSize> page;
  EXPECT_EQ(WriteZeroPage(*image, {.e820 = e820}, page).reason(),
            kTooManyRanges);
  e820.resize(128);
  EXPECT_TRUE(WriteZeroPage(*image, {.e820 = e820}, page).ok());
}

}  // namespace
}  // namespace svsm
