// SPDX-License-Identifier: Apache-2.0
//
// What is no violation and yet no good: reads of ciphertext, and #VC while an
// exception is delivered.
#include <vector>

#include "gtest/gtest.h"
#include "machine/cpu.h"
#include "machine/cpu_for_tests.h"

namespace machine::testing {
namespace {

constexpr auto k4K = RmpPageSize::k4K;

TEST_F(TestCpu, PrivatePagesReadAsCiphertextThroughSharedMappings) {
  SetPrivate64(kData, 0x5EC4E7);
  SetShared64(kData, 0x1111);
  std::vector<NestedFault> told;
  events_.on_ciphertext = [&](const NestedFault& fault) {
    told.push_back(fault);
  };
  const auto read = [&](uint64_t gpa) {
    Load("load");
    Set(Gpr::kRsi, kSharedWindow + gpa);
    RunToHalt();
    return rax();
  };
  const uint64_t ciphertext = read(kData);
  EXPECT_NE(ciphertext, 0x5EC4E7u);
  EXPECT_NE(ciphertext, 0x1111u);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].gpa, kData);
  EXPECT_EQ(told[0].gva, kSharedWindow + kData);
  EXPECT_EQ(told[0].rip, Symbol("load"));
  EXPECT_EQ(read(kData), ciphertext);
  EXPECT_NE(read(kData + 8), ciphertext);
  EXPECT_NE(read(kData + kPageSize), ciphertext);
  // Neither of the two contents is touched, and a page that is shared again
  // shows its own.
  EXPECT_EQ(Private64(kData), 0x5EC4E7u);
  EXPECT_EQ(Shared64(kData), 0x1111u);
  rmp_.MakeShared(kData, k4K);
  const size_t before = told.size();
  EXPECT_EQ(read(kData), 0x1111u);
  EXPECT_EQ(told.size(), before);
}

// #VC while #VC is delivered is a double fault, and while that is delivered the
// end; not one #VC after the other for ever.
TEST_F(TestCpu, ANestedVcIsADoubleFault) {
  constexpr uint64_t kLowStack = kData + 0x8000;
  SetPrivate64(kTss + 44, kLowStack);  // IST2
  MakeGate(29, Symbol("stub29"), /*ist=*/2);
  MakeGate(8, Symbol("stub8"), /*ist=*/1);
  rmp_.Pvalidate(kLowStack - kPageSize, k4K, false, 0);
  Load("cpuid");
  SkipOnTrap(2);
  RunToHalt();
  EXPECT_EQ(LastTrap().vector, 8u);
  EXPECT_EQ(LastTrap().count, 1u);

  rmp_.Pvalidate(kIdt, k4K, false, 0);
  Load("cpuid");
  EXPECT_EQ(Run().kind, StopKind::kTripleFault) << last_;
}

}  // namespace
}  // namespace machine::testing
