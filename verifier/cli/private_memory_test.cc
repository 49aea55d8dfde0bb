// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/private_memory.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "gtest/gtest.h"

namespace verifier {
namespace {

TEST(PrivateMemory, NoCoreAndNotDumpable) {
  ASSERT_TRUE(KeepMemoryPrivate());
  EXPECT_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
  rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
  ASSERT_EQ(getrlimit(RLIMIT_CORE, &limit), 0);
  EXPECT_EQ(limit.rlim_cur, 0u);
  EXPECT_EQ(limit.rlim_max, 0u);
}

}  // namespace
}  // namespace verifier
