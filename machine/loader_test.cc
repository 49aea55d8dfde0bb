// SPDX-License-Identifier: Apache-2.0
#include "machine/loader.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "psp/testing.h"
#include "sev/platform_info.h"
#include "sev/vmsa.h"

namespace machine {
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
    return Launch(plan, chip_, options_, memory_, firmware_);
  }
  LaunchOptions options_{.memory_map = {{.gpa = 0, .size = 1 << 24}},
                         .cpuid = MakeCpuidTable(psp::kMilan)};
  psp::ChipModel chip_ = psp::kMilan;
  FakeLaunchMemory memory_;
  psp::Firmware firmware_{psp::TestHierarchy()};
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

TEST_F(LoaderTest, FillsInWhatTheFileAsksOfItsLoader) {
  using Kind = launch::PlanParameter::Kind;
  launch::LaunchPlan plan = Plan();
  const sev::LaunchDigest before = ChainDigest(plan);
  // The count lies in two pages.
  plan.parameters = {{Kind::kVpCount, 0x6FFE, 4096 + 2},
                     {Kind::kMadt, 0x7010, 4080}};
  plan.pages.insert(plan.pages.begin(),
                    {{.gpa = 0x6000, .type = PageType::kUnmeasured},
                     {.gpa = 0x7000, .type = PageType::kUnmeasured}});
  ASSERT_TRUE(Run(plan).ok());
  EXPECT_EQ(memory_.pages[0x6000][0xFFE], 1);
  EXPECT_EQ(memory_.pages[0x6000][0xFFD], 0);
  EXPECT_EQ(memory_.pages[0x7000][0], 0);
  const base::Bytes madt = base::Bytes(memory_.pages[0x7000]).subspan(0x10);
  const auto size = base::LoadLe<uint32_t>(madt.subspan<4, 4>());
  EXPECT_EQ(size, 52u);
  EXPECT_EQ(std::string(madt.begin(), madt.begin() + 4), "APIC");
  uint8_t sum = 0;
  for (size_t i = 0; i < size; ++i) sum = static_cast<uint8_t>(sum + madt[i]);
  EXPECT_EQ(sum, 0);
  EXPECT_EQ(base::LoadLe<uint32_t>(madt.subspan<36, 4>()), 0xFEE00000u);
  EXPECT_TRUE(base::AllZero(madt.subspan(size)));
  // The plan's own pages, measured as before.
  plan.pages.erase(plan.pages.begin(), plan.pages.begin() + 2);
  EXPECT_EQ(ChainDigest(plan), before);
  // A table that does not fit is left out.
  plan = Plan();
  plan.parameters = {{Kind::kMadt, 0x6000, 51}};
  plan.pages.insert(plan.pages.begin(),
                    {{.gpa = 0x6000, .type = PageType::kUnmeasured}});
  ASSERT_TRUE(Run(plan).ok());
  EXPECT_TRUE(base::AllZero(memory_.pages[0x6000]));
}

TEST_F(LoaderTest, MadtsOfSeveralProcessorsNumberThem) {
  const std::vector<uint8_t> table = MakeMadt(3);
  ASSERT_EQ(table.size(), 44u + 3 * 8);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(table[44 + 8 * i], 0);
    EXPECT_EQ(table[46 + 8 * i], i);
    EXPECT_EQ(table[47 + 8 * i], i);
    EXPECT_EQ(table[48 + 8 * i], 1);
  }
}

TEST_F(LoaderTest, MeasuresAsLaunchDoes) {
  launch::LaunchPlan plan = Plan();
  EXPECT_EQ(ChainDigest(plan), launch::MeasurePlan(plan));
  const sev::LaunchDigest all = ChainDigest(plan);
  plan.pages[0].gpa = 0x6000;
  EXPECT_NE(ChainDigest(plan), all);
}

TEST_F(LoaderTest, MeasuresAVmsaWithoutItsTscFields) {
  launch::LaunchPlan plan = Plan();
  std::vector<uint8_t>& vmsa = plan.pages.back().contents;
  std::fill_n(vmsa.begin() + 0x2F0, 16, uint8_t{0});
  const sev::LaunchDigest zeros = ChainDigest(plan);
  std::fill_n(vmsa.begin() + 0x2F0, 16, uint8_t{0xA5});
  EXPECT_EQ(ChainDigest(plan), zeros);
  EXPECT_EQ(launch::MeasurePlan(plan), zeros);
  // Loaded it is as it stands.
  const auto launched = Run(plan);
  ASSERT_TRUE(launched.ok()) << launched.status();
  EXPECT_EQ(launched->vmsa[0x2F0], 0xA5);
  for (const size_t neighbour : {0x2EF, 0x300}) {
    plan = Plan();
    const sev::LaunchDigest before = ChainDigest(plan);
    plan.pages.back().contents[neighbour] ^= 1;
    EXPECT_NE(ChainDigest(plan), before);
    EXPECT_EQ(launch::MeasurePlan(plan), ChainDigest(plan));
  }
  // The same bytes of another page count.
  plan = Plan();
  const sev::LaunchDigest before = ChainDigest(plan);
  plan.pages[1].contents[0x2F0] ^= 1;
  EXPECT_NE(ChainDigest(plan), before);
  EXPECT_NE(launch::MeasurePlan(plan), before);
}

TEST_F(LoaderTest, RefusesAPolicyThatTheFirmwareRefuses) {
  const auto why = [&](uint64_t policy) {
    launch::LaunchPlan plan = Plan();
    plan.policy = policy;
    const absl::Status status = Run(plan).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << policy;
    return std::string(status.message());
  };
  EXPECT_EQ(why(0x10000), "guest policy 0x10000: bit 17 must be one");
  EXPECT_EQ(why(0x4030000), "guest policy 0x4030000: reserved bits are set");
  EXPECT_EQ(why(0x20000), "guest policy 0x20000: it forbids SMT, which is on");
  EXPECT_EQ(why(0x30138),
            "guest policy 0x30138: it wants ABI 1.56, the firmware has 1.55");
  EXPECT_EQ(why(0x30200),
            "guest policy 0x30200: it wants ABI 2.0, the firmware has 1.55");
  EXPECT_TRUE(memory_.pages.empty());

  const auto launches = [&](uint64_t policy) {
    launch::LaunchPlan plan = Plan();
    plan.policy = policy;
    return Run(plan).ok();
  };
  EXPECT_TRUE(launches(0x30137));
  EXPECT_TRUE(launches(0x300FF));
  chip_.platform_info &= ~sev::kPlatformInfoSmtEnabled;
  EXPECT_TRUE(launches(0x20000));
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
}  // namespace machine
