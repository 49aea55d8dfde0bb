// SPDX-License-Identifier: Apache-2.0
#include "emulator/machine/loader.h"

#include <map>
#include <vector>

#include "emulator/testing.h"
#include "gtest/gtest.h"
#include "sev/vmsa.h"

namespace emulator::machine {
namespace {

using sev::PageType;

class FakeLaunchMemory final : public LaunchMemory {
 public:
  bool LaunchPage(uint64_t gpa, PageBytes contents) override {
    if (gpa >= 1 << 24) return false;
    return pages.emplace(gpa, std::vector(contents.begin(), contents.end()))
        .second;
  }
  std::map<uint64_t, std::vector<uint8_t>> pages;
};

launch::LaunchPlan Plan() {
  launch::LaunchPlan plan;
  plan.memory_map = {.gpa = 0x5000, .size = 4096};
  plan.pages = {
      {.gpa = 0x5000, .type = PageType::kUnmeasured},
      {.gpa = 0x1000,
       .type = PageType::kNormal,
       .contents = std::vector<uint8_t>(4096, 0x11)},
      {.gpa = 0x2000, .type = PageType::kZero},
      {.gpa = 0x3000, .type = PageType::kSecrets},
      {.gpa = 0x4000, .type = PageType::kCpuid},
      {.gpa = sev::kKvmVmsaGpa,
       .type = PageType::kVmsa,
       .contents = std::vector<uint8_t>(4096, 0x22)},
  };
  return plan;
}

class LoaderTest : public testing::Test {
 protected:
  absl::StatusOr<Launched> Run(const launch::LaunchPlan& plan) {
    memory_.pages.clear();
    return Launch(plan, options_, memory_, firmware_);
  }
  LaunchOptions options_{.memory_map = {{.gpa = 0, .size = 1 << 24}},
                         .cpuid = MakeCpuidTable(kMilan)};
  FakeLaunchMemory memory_;
  Firmware firmware_{TestHierarchy()};
};

TEST_F(LoaderTest, PutsEachPageWhereThePlanSays) {
  const auto launched = Run(Plan());
  ASSERT_TRUE(launched.ok()) << launched.status();
  EXPECT_EQ(launched->vmsa[0], 0x22);
  EXPECT_EQ(memory_.pages.size(), 5u);
  EXPECT_EQ(memory_.pages[0x1000][4095], 0x11);
  EXPECT_EQ(memory_.pages[0x2000][0], 0);
  const auto secrets = firmware_.SecretsPage();
  EXPECT_TRUE(base::Equal(memory_.pages[0x3000], secrets));
  EXPECT_EQ(launched->secrets_page, 0x3000u);
  EXPECT_EQ(launched->cpuid_page, 0x4000u);
  const std::span<const uint8_t, 4096> cpuid(memory_.pages[0x4000].data(),
                                             4096);
  const auto encryption = sev::FindCpuid(cpuid, sev::kCpuidEncryptedMemory, 0);
  ASSERT_TRUE(encryption.has_value());
  EXPECT_EQ(encryption->ebx & sev::kCbitPositionMask, kCbitPosition);
  const base::Bytes map = memory_.pages[0x5000];
  EXPECT_EQ(base::LoadLe<uint64_t>(map.subspan<8, 8>()), (1u << 24) / 4096);
}

TEST_F(LoaderTest, MeasuresAsLaunchDoes) {
  launch::LaunchPlan plan = Plan();
  EXPECT_EQ(ChainDigest(plan), launch::MeasurePlan(plan));
  const sev::LaunchDigest all = ChainDigest(plan);
  plan.pages[0].gpa = 0x6000;
  EXPECT_NE(ChainDigest(plan), all);
}

TEST_F(LoaderTest, RefusesPlansThatNoFirmwareTakes) {
  launch::LaunchPlan plan = Plan();
  plan.pages.pop_back();
  EXPECT_FALSE(Run(plan).ok());
  plan = Plan();
  plan.pages.push_back(plan.pages.back());
  EXPECT_FALSE(Run(plan).ok());
  plan = Plan();
  plan.pages[1].contents.pop_back();
  EXPECT_FALSE(Run(plan).ok());
  plan = Plan();
  plan.pages[1].gpa += 8;
  EXPECT_FALSE(Run(plan).ok());
  plan = Plan();
  plan.pages[2].gpa = 0x1000;
  EXPECT_FALSE(Run(plan).ok());
  plan = Plan();
  plan.pages[2].gpa = 1 << 24;
  EXPECT_FALSE(Run(plan).ok());
}

TEST_F(LoaderTest, RefusesAnIdBlockOfSomethingElse) {
  launch::LaunchPlan plan = Plan();
  plan.id_block = {.id_block = std::vector<uint8_t>(96),
                   .id_auth = std::vector<uint8_t>(4096)};
  plan.id_block->id_block[0x50] = 1;  // Version.
  const auto launched = Run(plan);
  EXPECT_EQ(launched.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(LoaderTest, AHostMayChangeItsPages) {
  options_.edit_host_page = [](PageType type, MutablePageBytes page) {
    if (type == PageType::kCpuid) page[0] = 65;
    EXPECT_NE(type, PageType::kNormal);
    EXPECT_NE(type, PageType::kSecrets);
  };
  ASSERT_TRUE(Run(Plan()).ok());
  EXPECT_EQ(memory_.pages[0x4000][0], 65);
}

}  // namespace
}  // namespace emulator::machine
