// SPDX-License-Identifier: Apache-2.0
#include "machine/rmp.h"

#include <algorithm>
#include <memory>

#include "gtest/gtest.h"
#include "machine/memory.h"
#include "sev/ghcb.h"

namespace machine {
namespace {

constexpr uint64_t kMiB = uint64_t{1} << 20;
constexpr uint64_t kPage = 0x5000;
constexpr uint64_t kLarge = 4 * kMiB;
constexpr auto k4K = RmpPageSize::k4K;
constexpr auto k2M = RmpPageSize::k2M;

class RmpTest : public ::testing::Test {
 protected:
  std::unique_ptr<GuestMemory> memory_ =
      *GuestMemory::Create({.below_4g = 16 * kMiB, .above_4g = 2 * kMiB});
  Rmp rmp_{*memory_};

  Rule Check(uint64_t gpa, bool c_bit, Access access, uint8_t vmpl = 0) {
    return rmp_.Check(gpa, c_bit, access, /*user=*/false, vmpl);
  }
};

TEST_F(RmpTest, UnassignedPagesAreSharedOnly) {
  EXPECT_EQ(Check(kPage, false, Access::kRead), Rule::kNone);
  EXPECT_EQ(Check(kPage, false, Access::kWrite), Rule::kNone);
  EXPECT_EQ(Check(kPage, true, Access::kRead), Rule::kNotAssigned);
  EXPECT_EQ(rmp_.Pvalidate(kPage, k4K, true, 0).fault, Rule::kNotAssigned);
  EXPECT_EQ(Check(16 * kMiB, false, Access::kRead), Rule::kNotRam);
  EXPECT_EQ(Check(kAbove4G, false, Access::kRead), Rule::kNone);
  EXPECT_EQ(Check(kAbove4G + 2 * kMiB, true, Access::kRead), Rule::kNotRam);
}

TEST_F(RmpTest, PagesThatWereMadeSharedDifferFromThoseThatNobodyAssigned) {
  EXPECT_FALSE(rmp_.Get(kPage).shared);
  ASSERT_TRUE(rmp_.MakeShared(kPage, k4K));
  EXPECT_TRUE(rmp_.Get(kPage).shared);
  EXPECT_FALSE(rmp_.Get(kPage).assigned);
  ASSERT_TRUE(rmp_.AssignPrivate(kPage, k4K));
  EXPECT_FALSE(rmp_.Get(kPage).shared);
}

TEST_F(RmpTest, AssignedPagesArePrivateOnly) {
  ASSERT_TRUE(rmp_.AssignPrivate(kPage, k4K));
  EXPECT_EQ(Check(kPage, false, Access::kRead), Rule::kSharedRead);
  EXPECT_EQ(Check(kPage, false, Access::kWrite), Rule::kSharedWrite);
  EXPECT_EQ(Check(kPage, true, Access::kWrite), Rule::kNotValidated);
  EXPECT_EQ(rmp_.Pvalidate(kPage, k4K, true, 0), RmpResult{});
  for (const Access access : {Access::kRead, Access::kWrite, Access::kFetch}) {
    EXPECT_EQ(Check(kPage, true, access), Rule::kNone);
    EXPECT_EQ(Check(kPage, true, access, 1), Rule::kVmplPermission);
  }
  EXPECT_EQ(Check(kPage + kPageSize, true, Access::kRead), Rule::kNotAssigned);
}

TEST_F(RmpTest, PvalidateSaysWhenNothingChanged) {
  ASSERT_TRUE(rmp_.AssignPrivate(kPage, k4K));
  EXPECT_TRUE(rmp_.Pvalidate(kPage, k4K, false, 0).carry);
  EXPECT_FALSE(rmp_.Pvalidate(kPage, k4K, true, 0).carry);
  EXPECT_EQ(rmp_.validated_twice(), 0u);
  EXPECT_TRUE(rmp_.Pvalidate(kPage, k4K, true, 0).carry);
  EXPECT_EQ(rmp_.validated_twice(), 1u);
  EXPECT_FALSE(rmp_.Pvalidate(kPage, k4K, false, 0).carry);
  EXPECT_EQ(Check(kPage, true, Access::kRead), Rule::kNotValidated);
}

TEST_F(RmpTest, PvalidateRefusesOtherVmplsAndUnalignedLargePages) {
  ASSERT_TRUE(rmp_.AssignPrivate(kLarge, k2M));
  EXPECT_EQ(rmp_.Pvalidate(kLarge, k2M, true, 1).eax, sev::kRmpFailPermission);
  EXPECT_EQ(rmp_.Pvalidate(kLarge + kPageSize, k2M, true, 0).eax,
            sev::kRmpFailInput);
  EXPECT_FALSE(rmp_.Get(kLarge).validated);
}

TEST_F(RmpTest, LargeEntriesAreValidatedAtOnce) {
  ASSERT_TRUE(rmp_.AssignPrivate(kLarge, k2M));
  EXPECT_EQ(rmp_.Pvalidate(kLarge, k2M, true, 0), RmpResult{});
  EXPECT_EQ(Check(kLarge, true, Access::kWrite), Rule::kNone);
  EXPECT_EQ(Check(kLarge + kLargePageSize - 1, true, Access::kWrite),
            Rule::kNone);
  EXPECT_EQ(Check(kLarge + kLargePageSize, true, Access::kWrite),
            Rule::kNotAssigned);
}

TEST_F(RmpTest, SizesMustAgree) {
  for (uint64_t at = 0; at < kLargePageSize; at += kPageSize) {
    ASSERT_TRUE(rmp_.AssignPrivate(kLarge + at, k4K));
  }
  EXPECT_EQ(rmp_.Pvalidate(kLarge, k2M, true, 0).eax,
            sev::kRmpFailSizeMismatch);
  EXPECT_FALSE(rmp_.Get(kLarge).validated);

  ASSERT_TRUE(rmp_.AssignPrivate(kLarge, k2M));
  const uint64_t inside = kLarge + 7 * kPageSize;
  EXPECT_EQ(rmp_.Pvalidate(inside, k4K, true, 0).fault, Rule::kSizeMismatch);
  rmp_.Psmash(inside);
  EXPECT_EQ(rmp_.Pvalidate(inside, k4K, true, 0), RmpResult{});
  EXPECT_TRUE(rmp_.Get(inside).validated);
  EXPECT_FALSE(rmp_.Get(kLarge).validated);
}

TEST_F(RmpTest, PsmashKeepsTheState) {
  ASSERT_TRUE(rmp_.AssignPrivate(kLarge, k2M));
  ASSERT_EQ(rmp_.Pvalidate(kLarge, k2M, true, 0), RmpResult{});
  rmp_.Psmash(kLarge + kPageSize);
  EXPECT_TRUE(rmp_.Get(kLarge + 9 * kPageSize).validated);
  EXPECT_FALSE(rmp_.Get(kLarge + 9 * kPageSize).large);
}

TEST_F(RmpTest, TakingOnePageOutOfALargeEntrySmashesIt) {
  ASSERT_TRUE(rmp_.AssignPrivate(kLarge, k2M));
  ASSERT_EQ(rmp_.Pvalidate(kLarge, k2M, true, 0), RmpResult{});
  ASSERT_TRUE(rmp_.MakeShared(kLarge + kPageSize, k4K));
  EXPECT_FALSE(rmp_.Get(kLarge + kPageSize).assigned);
  EXPECT_TRUE(rmp_.Get(kLarge).validated);
  EXPECT_FALSE(rmp_.Get(kLarge).large);
}

TEST_F(RmpTest, AssigningAgainForgetsTheValidation) {
  ASSERT_TRUE(rmp_.LaunchPage(kPage));
  ASSERT_EQ(Check(kPage, true, Access::kRead), Rule::kNone);
  const uint64_t before = rmp_.generation();
  ASSERT_TRUE(rmp_.AssignPrivate(kPage, k4K));
  EXPECT_NE(rmp_.generation(), before);
  EXPECT_EQ(Check(kPage, true, Access::kRead), Rule::kNotValidated);
  EXPECT_TRUE(rmp_.TakeStale(kPage));
  EXPECT_FALSE(rmp_.TakeStale(kPage));
}

TEST_F(RmpTest, LaunchedPagesAreValidatedAndNotStale) {
  ASSERT_TRUE(rmp_.LaunchPage(kPage));
  EXPECT_FALSE(rmp_.TakeStale(kPage));
  EXPECT_FALSE(rmp_.LaunchPage(16 * kMiB));
  EXPECT_FALSE(rmp_.LaunchPage(kPage + 1));
}

TEST_F(RmpTest, RmpadjustGivesWhatOneHas) {
  ASSERT_TRUE(rmp_.LaunchPage(kPage));
  const uint64_t read_only = 2 | uint64_t{sev::kVmplRead} << 8;
  EXPECT_EQ(rmp_.Rmpadjust(kPage, k4K, read_only, 0), RmpResult{});
  EXPECT_EQ(Check(kPage, true, Access::kRead, 2), Rule::kNone);
  EXPECT_EQ(Check(kPage, true, Access::kWrite, 2), Rule::kVmplPermission);
  // VMPL2 may give VMPL3 no more than it has itself.
  EXPECT_EQ(rmp_.Rmpadjust(kPage, k4K, 3 | uint64_t{sev::kVmplWrite} << 8, 2),
            (RmpResult{.eax = sev::kRmpFailPermission}));
  EXPECT_EQ(rmp_.Rmpadjust(kPage, k4K, 3 | uint64_t{sev::kVmplRead} << 8, 2),
            RmpResult{});
  // Nobody changes his own.
  EXPECT_EQ(rmp_.Rmpadjust(kPage, k4K, 0, 0).eax, sev::kRmpFailPermission);
  EXPECT_EQ(rmp_.Rmpadjust(kPage, k4K, 4, 0).eax, sev::kRmpFailInput);
  EXPECT_EQ(rmp_.Rmpadjust(kPage, k4K, uint64_t{1} << 20 | 1, 0).eax,
            sev::kRmpFailInput);
}

TEST_F(RmpTest, VmsaPagesAreNotWritten) {
  ASSERT_TRUE(rmp_.LaunchPage(kPage));
  EXPECT_EQ(rmp_.Rmpadjust(kPage, k4K, 1 | sev::kRmpAdjustVmsa, 0),
            RmpResult{});
  EXPECT_EQ(Check(kPage, true, Access::kWrite), Rule::kVmsaWrite);
  EXPECT_EQ(Check(kPage, true, Access::kRead), Rule::kNone);
}

TEST_F(RmpTest, InstructionsFaultOnWhatIsNotTheGuests) {
  EXPECT_EQ(rmp_.Rmpadjust(kPage, k4K, 1, 0).fault, Rule::kNotAssigned);
  EXPECT_EQ(rmp_.Rmpadjust(16 * kMiB, k4K, 1, 0).fault, Rule::kNotRam);
  ASSERT_TRUE(rmp_.AssignPrivate(kPage, k4K));
  EXPECT_EQ(rmp_.Rmpadjust(kPage, k4K, 1, 0).fault, Rule::kNotValidated);
}

TEST(GuestMemoryTest, TwoBackingsAndAHole) {
  const auto memory = *GuestMemory::Create(
      {.below_4g = 4 * kMiB, .above_4g = 2 * kMiB, .rom = 0x3000});
  memory->Private(kPage, 1)[0] = 1;
  memory->Shared(kPage, 1)[0] = 2;
  EXPECT_EQ(memory->Private(kPage, 1)[0], 1);
  EXPECT_EQ(memory->Shared(kPage, 1)[0], 2);
  EXPECT_TRUE(memory->Shared(4 * kMiB, 1).empty());
  EXPECT_TRUE(memory->Shared(4 * kMiB - 1, 2).empty());
  EXPECT_EQ(memory->Shared(4 * kMiB - 2, 2).size(), 2u);
  EXPECT_TRUE(memory->IsRam(kAbove4G - 0x3000, 0x3000));
  EXPECT_FALSE(memory->IsRam(kAbove4G - 0x3000, 0x3001));
  EXPECT_TRUE(memory->IsRam(kAbove4G, 2 * kMiB));
  EXPECT_FALSE(memory->IsRam(~uint64_t{0}, 2));
}

TEST(GuestMemoryTest, GarbledPagesDifferAndRepeat) {
  const auto memory = *GuestMemory::Create({.below_4g = 2 * kMiB});
  memory->Garble(0x1000);
  memory->Garble(0x2000);
  const auto one = memory->Private(0x1000, kPageSize);
  const auto two = memory->Private(0x2000, kPageSize);
  EXPECT_FALSE(std::ranges::equal(one, two));
  EXPECT_EQ(std::ranges::count(one, 0) < 64, true);
  EXPECT_EQ(memory->Private(0x3000, 1)[0], 0);
  const auto other = *GuestMemory::Create({.below_4g = 2 * kMiB, .noise = 1});
  other->Garble(0x1000);
  EXPECT_FALSE(std::ranges::equal(one, other->Private(0x1000, kPageSize)));
}

TEST(GuestMemoryTest, RefusesUnalignedSizes) {
  EXPECT_FALSE(GuestMemory::Create({.below_4g = kMiB}).ok());
  EXPECT_FALSE(GuestMemory::Create({.below_4g = kAbove4G, .rom = 4096}).ok());
}

}  // namespace
}  // namespace machine
