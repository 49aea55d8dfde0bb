// SPDX-License-Identifier: Apache-2.0
#include "svsm/boot/backtrace.h"

#include <stdint.h>

#include "gtest/gtest.h"

namespace svsm {
namespace {

class BacktraceTest : public testing::Test {
 protected:
  uint64_t At(int index) const {
    // EDGE: an address in the fake stack.
    return reinterpret_cast<uint64_t>(&stack_[index]);
  }
  StackBounds bounds() const { return {At(0), At(16)}; }

  uint64_t stack_[17] = {};
  uint64_t out_[8] = {};
};

TEST_F(BacktraceTest, FollowsTheChain) {
  stack_[2] = At(6);
  stack_[3] = 0x1111;
  stack_[6] = 0;
  stack_[7] = 0x2222;
  EXPECT_EQ(WalkFramePointers(At(2), bounds(), out_), 2u);
  EXPECT_EQ(out_[0], 0x1111u);
  EXPECT_EQ(out_[1], 0x2222u);
}

TEST_F(BacktraceTest, EndsAtWhatIsNoFrame) {
  stack_[2] = At(2);  // Points to itself.
  EXPECT_EQ(WalkFramePointers(At(2), bounds(), out_), 1u);
  stack_[2] = At(1);  // Points down.
  EXPECT_EQ(WalkFramePointers(At(2), bounds(), out_), 1u);
  EXPECT_EQ(WalkFramePointers(At(2) + 1, bounds(), out_), 0u);
  EXPECT_EQ(WalkFramePointers(At(15), bounds(), out_), 0u);  // 8 bytes left
  EXPECT_EQ(WalkFramePointers(At(16), bounds(), out_), 0u);
  EXPECT_EQ(WalkFramePointers(0, bounds(), out_), 0u);
  EXPECT_EQ(WalkFramePointers(UINT64_MAX - 7, bounds(), out_), 0u);
}

TEST_F(BacktraceTest, StopsWhenTheOutputIsFull) {
  for (int i = 0; i < 14; i += 2) stack_[i] = At(i + 2);
  uint64_t two[2];
  EXPECT_EQ(WalkFramePointers(At(0), bounds(), two), 2u);
}

}  // namespace
}  // namespace svsm
