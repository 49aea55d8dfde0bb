// SPDX-License-Identifier: Apache-2.0
#include "svsm/panic/reason_text.h"

#include "base/reasons.h"
#include "gtest/gtest.h"
#include "proto/reasons.h"
#include "svsm/reasons.h"

namespace svsm {
namespace {

// That no number stands for two things, the switch itself checks.
TEST(ReasonTextTest, EveryModuleHasItsWords) {
  EXPECT_EQ(ReasonText(kNoRdrand), "the CPU has no RDRAND");
  EXPECT_EQ(ReasonText(proto::kConfigMissing), "image has no configuration");
  EXPECT_EQ(ReasonText(base::kDeadlinePassed), "a deadline passed");
}

TEST(ReasonTextTest, UnknownReason) {
  EXPECT_EQ(ReasonText(base::Reason()), "unknown reason");
  EXPECT_EQ(ReasonText(base::Reason('Z', 'Z', 255)), "unknown reason");
}

}  // namespace
}  // namespace svsm
