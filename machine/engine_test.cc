// SPDX-License-Identifier: Apache-2.0
#include "machine/engine.h"

#include <unicorn/unicorn.h>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace machine {
namespace {

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    EXPECT_EQ(uc_open(UC_ARCH_X86, UC_MODE_64, &engine_), UC_ERR_OK);
  }
  ~EngineTest() override { uc_close(engine_); }

  uc_engine* engine_ = nullptr;
};

TEST_F(EngineTest, FindsEveryField) {
  const auto state = EngineState::Find(engine_);
  ASSERT_TRUE(state.ok()) << state.status();
  uint64_t value = 0x123456789ABCDEF0;
  uc_reg_write(engine_, UC_X86_REG_R11, &value);
  EXPECT_EQ(state->gpr(11), value);
  uc_reg_write(engine_, UC_X86_REG_GS_BASE, &value);
  EXPECT_EQ(state->segment(kGs).base, value);
  uc_x86_mmr gdt = {.base = 0x5000, .limit = 0x77};
  uc_reg_write(engine_, UC_X86_REG_GDTR, &gdt);
  EXPECT_EQ(state->segment(kGdt).base, 0x5000u);
  EXPECT_EQ(state->segment(kGdt).limit, 0x77u);
  EXPECT_EQ(state->cr(0) & 1, 1u);
}

// The same library in a state that it does not have after a start: what another
// version would look like.
TEST_F(EngineTest, RefusesWhatItDoesNotKnow) {
  ASSERT_TRUE(EngineState::Find(engine_).ok());
  EXPECT_EQ(EngineState::Find(engine_).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(EngineTest, RefusesAnotherMode) {
  uc_engine* other = nullptr;
  ASSERT_EQ(uc_open(UC_ARCH_X86, UC_MODE_32, &other), UC_ERR_OK);
  EXPECT_FALSE(EngineState::Find(other).ok());
  uc_close(other);
}

}  // namespace
}  // namespace machine
