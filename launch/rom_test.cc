// SPDX-License-Identifier: Apache-2.0
//
// That a ROM boots: tests/e2e/rom_test.py.
#include "launch/rom.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/bytes.h"
#include "gtest/gtest.h"
#include "launch/elf_for_tests.h"
#include "launch/image.h"
#include "launch/launch_plan.h"
#include "launch/measure.h"
#include "proto/config.h"
#include "sev/page_info.h"
#include "sev/vmsa.h"

namespace launch {
namespace {

constexpr uint64_t kEnd = uint64_t{1} << 32;

std::vector<uint8_t> Image(proto::Platform platform) {
  auto file = TestElf().Bytes();
  proto::Config config;
  config.platform = platform;
  config.vm.Assign("demo/vm1");
  config.verifier_endpoint.Assign("verifier");
  config.verifier_pins.Add({1});
  EXPECT_TRUE(ConfigureImage(file, config, Reconfigure::kRefuse).ok());
  return file;
}

std::vector<uint8_t> SnpRom() {
  const auto rom = MakeRom(Image(proto::Platform::kSnp));
  EXPECT_TRUE(rom.ok()) << rom.status();
  return rom.ok() ? *rom : std::vector<uint8_t>(65536);
}

uint32_t Word(const std::vector<uint8_t>& bytes, size_t at) {
  return base::LoadLe<uint32_t>(base::Bytes(bytes).subspan(at).first<4>());
}

TEST(MakeRom, EndsInAResetVectorAndItsTable) {
  const auto rom = SnpRom();
  EXPECT_EQ(rom.size() % 65536, 0u);
  EXPECT_EQ(RomKindOf(rom), RomKind::kSnp);
  EXPECT_EQ(rom[rom.size() - 16], 0xE9);  // jmp, back into the stub's page
  const size_t stub = rom.size() - 4096;
  const auto target = static_cast<int16_t>(Word(rom, rom.size() - 15));
  EXPECT_EQ(rom.size() - 13 + static_cast<size_t>(target), stub);
  // OVMF's footer, 48 bytes before the end.
  EXPECT_EQ(Word(rom, rom.size() - 48), 0x96B582DEu);
}

TEST(MakeRom, TheTableGivesEverySegmentItsBytes) {
  const auto rom = SnpRom();
  const size_t table = rom.size() - 4096 + 0x800;
  EXPECT_EQ(Word(rom, table), 2u);
  EXPECT_EQ(Word(rom, table + 4), TestElf::kEntry);
  const auto image = Image(proto::Platform::kSnp);
  const struct {
    uint64_t address;
    size_t offset, size;
  } segments[] = {
      {TestElf::kText, TestElf::kTextOffset, TestElf::kTextSize},
      {TestElf::kConfig, TestElf::kConfigOffset, proto::kConfigSectionSize}};
  for (size_t i = 0; i < 2; ++i) {
    const size_t row = table + 8 + 12 * i;
    const size_t from = Word(rom, row) - (kEnd - rom.size());
    EXPECT_EQ(Word(rom, row + 4), segments[i].address);
    ASSERT_EQ(Word(rom, row + 8), segments[i].size);
    ASSERT_LE(from + segments[i].size, rom.size() - 8192);
    EXPECT_TRUE(base::Equal(
        base::Bytes(rom).subspan(from, segments[i].size),
        base::Bytes(image).subspan(segments[i].offset, segments[i].size)));
  }
}

TEST(MakeRom, RefusesWhatItCannotEnter) {
  // No configuration; no PVH note.
  EXPECT_FALSE(MakeRom(TestElf().Bytes()).ok());
  const auto emulated = MakeRom(Image(proto::Platform::kEmulated));
  ASSERT_FALSE(emulated.ok());
  EXPECT_TRUE(absl::StrContains(emulated.status().message(), "LA10"))
      << emulated.status();
  EXPECT_FALSE(MakeRom({}).ok());
}

TEST(PlanOfRom, LaunchesTheRomThenTheImagesMemoryThenTheVmsa) {
  const auto rom = SnpRom();
  const auto plan = PlanOfRom(rom, 0x123456);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto& pages = plan->pages;
  const size_t rom_pages = rom.size() / 4096;
  ASSERT_GT(pages.size(), rom_pages);
  for (size_t i = 0; i < rom_pages; ++i) {
    EXPECT_EQ(pages[i].type, sev::PageType::kNormal);
    EXPECT_EQ(pages[i].gpa, kEnd - rom.size() + i * 4096);
    EXPECT_TRUE(base::Equal(pages[i].contents,
                            base::Bytes(rom).subspan(i * 4096, 4096)));
  }
  // Text has six pages, the configuration four; the memory map is a page like
  // another.
  std::map<uint64_t, sev::PageType> memory;
  for (size_t i = rom_pages; i + 1 < pages.size(); ++i) {
    EXPECT_TRUE(memory.emplace(pages[i].gpa, pages[i].type).second);
    EXPECT_TRUE(pages[i].contents.empty());
  }
  EXPECT_EQ(memory.size(), 10u);
  EXPECT_EQ(memory[TestElf::kSecretsPage], sev::PageType::kSecrets);
  EXPECT_EQ(memory[TestElf::kCpuidPage], sev::PageType::kCpuid);
  for (const uint64_t gpa :
       {TestElf::kText, TestElf::kZeroPage, TestElf::kMemoryMapPage,
        TestElf::kConfig, TestElf::kConfig + 0x3000}) {
    EXPECT_EQ(memory[gpa], sev::PageType::kZero) << gpa;
  }
  const PlanPage& vmsa = pages.back();
  EXPECT_EQ(vmsa.type, sev::PageType::kVmsa);
  EXPECT_EQ(vmsa.gpa, sev::kKvmVmsaGpa);
  EXPECT_EQ(Word(vmsa.contents, sev::vmsa_layout::Rdx::kOffset), 0x123456u);
  EXPECT_EQ(Word(vmsa.contents, sev::vmsa_layout::Rip::kOffset), 0xFFF0u);
  EXPECT_FALSE(plan->memory_map);
}

TEST(PlanOfRom, DigestCoversImageAndCpu) {
  const auto digest = [](const std::vector<uint8_t>& rom, uint32_t signature) {
    const auto plan = PlanOfRom(rom, signature);
    EXPECT_TRUE(plan.ok());
    return MeasurePlan(*plan);
  };
  const auto rom = SnpRom();
  EXPECT_EQ(digest(rom, kEpycSignature), digest(SnpRom(), kEpycSignature));
  EXPECT_NE(digest(rom, kEpycSignature), digest(rom, kEpycSignature + 1));
  auto changed = rom;
  changed[0] ^= 1;
  EXPECT_NE(digest(rom, kEpycSignature), digest(changed, kEpycSignature));
}

// Row by row: what a section may not be.
TEST(PlanOfRom, RefusesSectionsOfNoUse) {
  const auto good = SnpRom();
  const size_t first = good.size() - 8192 + 16;
  const struct {
    uint32_t base, length, type;
  } rows[] = {
      {0x200001, 0x1000, 1},   {0x200000, 0x1001, 1},   {0x200000, 0, 1},
      {0x200000, 0x1000, 0},   {0x200000, 0x1000, 5},   {0x200000, 0x1000, 17},
      {0x200000, 0x2000, 3},   {0xFFFFF000, 0x1000, 1}, {0xFFFFF000, 0x2000, 1},
      {0xFFFEF000, 0x2000, 1}, {0, 0xFFFF0000, 1},
  };
  for (const auto& row : rows) {
    auto rom = good;
    const uint32_t words[] = {row.base, row.length, row.type};
    for (size_t i = 0; i < 3; ++i) {
      base::StoreLe<uint32_t>(
          words[i], base::MutableBytes(rom).subspan(first + 4 * i).first<4>());
    }
    EXPECT_FALSE(PlanOfRom(rom, 0).ok())
        << row.base << " " << row.length << " " << row.type;
  }
}

// An SVSM's calling area, and kernel hashes of a launch without a kernel.
TEST(PlanOfRom, TakesWhatQemuLaunchesAsZeros) {
  const auto good = SnpRom();
  const size_t first = good.size() - 8192 + 16;
  const auto zeros = [&](uint32_t type) {
    auto rom = good;
    const uint32_t words[] = {0x7000000, 0x2000, type};
    for (size_t i = 0; i < 3; ++i) {
      base::StoreLe<uint32_t>(
          words[i], base::MutableBytes(rom).subspan(first + 4 * i).first<4>());
    }
    const auto plan = PlanOfRom(rom, kEpycSignature);
    EXPECT_TRUE(plan.ok()) << type << plan.status();
    std::vector<PlanPage> pages;
    if (!plan.ok()) return pages;
    for (const PlanPage& page : plan->pages) {
      if (page.type == sev::PageType::kZero) pages.push_back(page);
    }
    return pages;
  };
  const auto plain = zeros(1);
  for (const uint32_t type : {4u, 16u}) {
    const auto pages = zeros(type);
    ASSERT_EQ(pages.size(), plain.size());
    for (size_t i = 0; i < pages.size(); ++i) {
      EXPECT_EQ(pages[i].gpa, plain[i].gpa);
    }
  }
}

TEST(PlanOfRom, RefusesSectionsWithACommonPage) {
  const auto good = SnpRom();
  const size_t first = good.size() - 8192 + 16;
  // The first section, then, at a page of the second.
  auto rom = good;
  const uint32_t words[] = {Word(good, first + 12), 0x1000, 1};
  for (size_t i = 0; i < 3; ++i) {
    base::StoreLe<uint32_t>(
        words[i], base::MutableBytes(rom).subspan(first + 4 * i).first<4>());
  }
  const auto plan = PlanOfRom(rom, 0);
  ASSERT_FALSE(plan.ok());
  EXPECT_TRUE(absl::StrContains(plan.status().message(), "two pages at"))
      << plan.status();
}

TEST(PlanOfRom, EveryTruncationFails) {
  const auto rom = SnpRom();
  for (size_t size = 0; size < rom.size(); size += 512) {
    // Of the beginning and of the end: what is left is not the same ROM.
    EXPECT_FALSE(PlanOfRom(base::Bytes(rom).first(size), 0).ok()) << size;
  }
  EXPECT_FALSE(PlanOfRom(base::Bytes(rom).last(4096), 0).ok());
}

TEST(PlanOfRom, NoFlippedBitOfTheTablesPassesUnnoticed) {
  const auto good = SnpRom();
  const auto plan = PlanOfRom(good, 0);
  ASSERT_TRUE(plan.ok());
  const auto digest = MeasurePlan(*plan);
  const auto flip_and_look = [&](size_t byte) {
    for (int bit = 0; bit < 8; ++bit) {
      auto rom = good;
      rom[byte] ^= static_cast<uint8_t>(1 << bit);
      const auto changed = PlanOfRom(rom, 0);
      // Refused, or another digest.
      if (changed.ok()) EXPECT_NE(MeasurePlan(*changed), digest) << byte;
    }
  };
  for (size_t i = 0; i < 64; ++i) flip_and_look(good.size() - 8192 + i);
  for (size_t i = 32; i < 94; i += 3) flip_and_look(good.size() - i - 1);
}

TEST(RomKindOf, KnowsItsOwn) {
  EXPECT_FALSE(RomKindOf({}));
  EXPECT_FALSE(RomKindOf(std::vector<uint8_t>(65536)));
  EXPECT_FALSE(RomKindOf(TestElf().Bytes()));
  auto rom = SnpRom();
  rom[rom.size() - 4096] ^= 1;
  EXPECT_FALSE(RomKindOf(rom));
}

}  // namespace
}  // namespace launch
