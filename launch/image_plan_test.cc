// SPDX-License-Identifier: Apache-2.0
#include "launch/image_plan.h"

#include <algorithm>
#include <functional>
#include <set>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "base/bytes.h"
#include "gtest/gtest.h"
#include "launch/elf_for_tests.h"
#include "launch/image.h"
#include "launch/launch_plan.h"
#include "launch/measure.h"
#include "sev/page_info.h"
#include "sev/vmsa.h"

namespace launch {
namespace {

using sev::PageType;

TEST(ImagePlan, LaunchesEveryPageOfTheImageOnce) {
  const auto file = TestElf().Bytes();
  const auto plan = PlanOfImage(file);
  ASSERT_TRUE(plan.ok()) << plan.status();
  std::vector<std::pair<uint64_t, PageType>> wanted = {
      {TestElf::kMemoryMapPage, PageType::kUnmeasured},
      {TestElf::kText, PageType::kNormal},
      {TestElf::kText + 0x1000, PageType::kNormal},
      {TestElf::kZeroPage, PageType::kNormal},
      {TestElf::kSecretsPage, PageType::kSecrets},
      {TestElf::kCpuidPage, PageType::kCpuid},
  };
  for (size_t at = 0; at < proto::kConfigSectionSize; at += 0x1000) {
    wanted.emplace_back(TestElf::kConfig + at, PageType::kNormal);
  }
  wanted.emplace_back(sev::kKvmVmsaGpa, PageType::kVmsa);
  std::vector<std::pair<uint64_t, PageType>> got;
  for (const PlanPage& page : plan->pages) {
    got.emplace_back(page.gpa, page.type);
    EXPECT_EQ(page.contents.size(), sev::IsHashed(page.type) ? 4096u : 0u);
  }
  EXPECT_EQ(got, wanted);
  EXPECT_TRUE(
      base::Equal(plan->pages[1].contents,
                  base::Bytes(file).subspan(TestElf::kTextOffset, 0x1000)));
  // 0x1100 bytes in the file: the rest of the second page is zeros.
  EXPECT_TRUE(base::Equal(
      base::Bytes(plan->pages[2].contents).first(0x100),
      base::Bytes(file).subspan(TestElf::kTextOffset + 0x1000, 0x100)));
  EXPECT_TRUE(
      base::AllZero(base::Bytes(plan->pages[2].contents).subspan(0x100)));
  EXPECT_TRUE(base::AllZero(plan->pages[3].contents));
  ASSERT_TRUE(plan->memory_map.has_value());
  EXPECT_EQ(plan->memory_map->gpa, TestElf::kMemoryMapPage);
  EXPECT_EQ(plan->memory_map->size, 4096u);
}

TEST(ImagePlan, SegmentsWithoutFileBytesAreLaunchedToo) {
  TestElf builder;
  builder.programs[3] = TestElf::Load(0x220000, 0, 0, 0x1800);
  const auto plan = PlanOfImage(builder.Bytes());
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto& pages = plan->pages;
  ASSERT_GT(pages.size(), 3u);
  const auto last = std::span(pages).last<3>();
  EXPECT_EQ(last[0].gpa, 0x220000u);
  EXPECT_EQ(last[1].gpa, 0x221000u);
  EXPECT_TRUE(base::AllZero(last[1].contents));
}

TEST(ImagePlan, EveryPageChangesTheDigest) {
  const auto plan = PlanOfImage(TestElf().Bytes());
  ASSERT_TRUE(plan.ok());
  std::set<sev::LaunchDigest> digests = {MeasurePlan(*plan)};
  for (size_t i = 0; i < plan->pages.size(); ++i) {
    LaunchPlan other = *plan;
    other.pages[i].gpa ^= 0x1000000;
    EXPECT_TRUE(digests.insert(MeasurePlan(other)).second) << i;
    if (plan->pages[i].contents.empty()) continue;
    other = *plan;
    other.pages[i].contents[4095] ^= 1;
    EXPECT_TRUE(digests.insert(MeasurePlan(other)).second) << i;
  }
}

TEST(ImagePlan, PagesAreMeasuredOneAfterTheOther) {
  const auto plan = PlanOfImage(TestElf().Bytes());
  ASSERT_TRUE(plan.ok());
  const auto pages = MeasurePages(*plan);
  ASSERT_EQ(pages.size(), plan->pages.size());
  sev::LaunchDigest so_far{};
  for (const MeasuredPage& page : pages) {
    LaunchMeasurement next(so_far);
    next.AddPage(page.type, page.gpa, page.contents);
    EXPECT_EQ(page.digest, next.digest());
    so_far = page.digest;
  }
  EXPECT_EQ(MeasurePlan(*plan), so_far);
  EXPECT_EQ(MeasurePlan(LaunchPlan()), sev::LaunchDigest{});
}

TEST(ImagePlan, TheEmulatedPlatformMeasuresFileBytesOnly) {
  TestElf builder;
  builder.programs[3] = TestElf::Load(0x220000, 0, 0, 0x1800);
  const auto file = builder.Bytes();
  const auto plan = EmulatedPlanOfImage(file);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(MeasurePlan(*plan), *MeasureEmulatedImage(file));
  EXPECT_FALSE(EmulatedPlanOfImage(base::Bytes(file).first(100)).ok());
}

TEST(ImagePlan, TheConfigurationIsFoundInThePages) {
  proto::Config config;
  config.vm.Assign("demo/vm1");
  config.verifier_endpoint.Assign("verifier");
  config.verifier_pins.Add({1});
  auto file = TestElf().Bytes();
  EXPECT_EQ(ConfigOfPlan(*PlanOfImage(file)).status().code(),
            absl::StatusCode::kNotFound);
  ASSERT_TRUE(ConfigureImage(file, config, Reconfigure::kRefuse).ok());
  auto plan = PlanOfImage(file);
  ASSERT_TRUE(plan.ok());
  const auto found = ConfigOfPlan(*plan);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->vm.view(), "demo/vm1");
  // A second one, or half of one, is none.
  const auto at =
      std::ranges::find(plan->pages, TestElf::kConfig, &PlanPage::gpa);
  LaunchPlan two = *plan;
  two.pages.push_back(*at);
  two.pages.back().gpa = 0x400000;
  EXPECT_FALSE(ConfigOfPlan(two).ok());
  LaunchPlan half = *plan;
  half.pages.erase(half.pages.begin() + (at - plan->pages.begin()) + 1);
  EXPECT_FALSE(ConfigOfPlan(half).ok());
}

TEST(ImagePlan, ANoteThatDoesNotFitIsRefused) {
  struct Row {
    const char* what;
    std::function<void(TestElf&)> spoil;
  };
  const Row rows[] = {
      {"version", [](TestElf& e) { e.note_words[0] = 2; }},
      {"size",
       [](TestElf& e) {
         e.note.n_descsz += 8;
         e.programs[2].p_filesz += 8;
       }},
      {"entry outside", [](TestElf& e) { e.note_words[1] = 0x100000; }},
      {"entry without bytes",
       [](TestElf& e) { e.note_words[1] = TestElf::kZeroPage; }},
      {"entry wraps", [](TestElf& e) { e.note_words[1] += uint64_t{1} << 32; }},
      {"secrets outside", [](TestElf& e) { e.note_words[2] = 0x300000; }},
      {"secrets over bytes",
       [](TestElf& e) { e.note_words[2] = TestElf::kText + 0x1000; }},
      {"secrets not aligned", [](TestElf& e) { e.note_words[2] += 8; }},
      {"same page twice",
       [](TestElf& e) { e.note_words[3] = TestElf::kSecretsPage; }},
      {"CPUID nowhere", [](TestElf& e) { e.note_words[3] = 0; }},
      {"map at the end", [](TestElf& e) { e.note_words[4] = UINT64_MAX; }},
  };
  for (const Row& row : rows) {
    TestElf builder;
    row.spoil(builder);
    const auto plan = PlanOfImage(builder.Bytes());
    EXPECT_TRUE(absl::StrContains(plan.status().message(), "LA11"))
        << row.what << plan.status();
  }
}

TEST(ImagePlan, WithoutANoteThereIsNoPlan) {
  TestElf builder;
  builder.programs[2].p_type = 0;
  const auto plan = PlanOfImage(builder.Bytes());
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(absl::StrContains(plan.status().message(), "LA10"));
}

TEST(ImagePlan, MemoryIsBounded) {
  TestElf large;
  large.programs[3] = TestElf::Load(0x400000, 0, 0, kMaxImageMemory);
  EXPECT_FALSE(PlanOfImage(large.Bytes()).ok());
  TestElf high;
  high.programs[3] = TestElf::Load(0xFFFFF000, 0, 0, 0x1001);
  EXPECT_FALSE(PlanOfImage(high.Bytes()).ok());
  high.programs[3] = TestElf::Load(0xFFFFF000, 0, 0, 0x1000);
  EXPECT_TRUE(PlanOfImage(high.Bytes()).ok());
}

}  // namespace
}  // namespace launch
