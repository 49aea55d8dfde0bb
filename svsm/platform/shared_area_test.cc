// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/shared_area.h"

#include <stdint.h>
#include <string.h>

#include "gtest/gtest.h"
#include "svsm/platform/testing/fake_platform.h"

namespace svsm {
namespace {

class SharedAreaTest : public ::testing::Test {
 protected:
  SharedAreaTest() { memset(pages_, 0xEE, sizeof(pages_)); }
  bool IsZero() const {
    for (const uint8_t byte : pages_) {
      if (byte != 0) return false;
    }
    return true;
  }

  alignas(4096) uint8_t pages_[3 * 4096];
  testing::FakePlatform platform_;
  SharedArea area_{pages_, sizeof(pages_)};
};

TEST_F(SharedAreaTest, IsSharedFromOpenToClose) {
  ASSERT_TRUE(area_.Open(platform_).ok());
  EXPECT_EQ(platform_.shared.size(), 3u);
  EXPECT_TRUE(IsZero());
  EXPECT_EQ(area_.range().base, pages_);
  EXPECT_EQ(area_.range().size, sizeof(pages_));
  EXPECT_EQ(*platform_.shared.begin(), area_.range().gpa);
  memset(pages_, 0x77, sizeof(pages_));
  ASSERT_TRUE(area_.Close(platform_).ok());
  EXPECT_TRUE(platform_.shared.empty());
  EXPECT_TRUE(IsZero());
}

TEST_F(SharedAreaTest, ClosingAgainDoesNothing) {
  EXPECT_TRUE(area_.Close(platform_).ok());
  ASSERT_TRUE(area_.Open(platform_).ok());
  EXPECT_TRUE(area_.Close(platform_).ok());
  const int changes = platform_.changes;
  EXPECT_TRUE(area_.Close(platform_).ok());
  EXPECT_EQ(platform_.changes, changes);
}

TEST_F(SharedAreaTest, ClearTouchesOnlyOpenPages) {
  area_.Clear();
  EXPECT_FALSE(IsZero());
  ASSERT_TRUE(area_.Open(platform_).ok());
  memset(pages_, 0x77, sizeof(pages_));
  area_.Clear();
  EXPECT_TRUE(IsZero());
  ASSERT_TRUE(area_.Close(platform_).ok());
  memset(pages_, 0x77, sizeof(pages_));
  area_.Clear();
  EXPECT_FALSE(IsZero());
}

TEST_F(SharedAreaTest, TheHostIsLeftWithEmptyPages) {
  ASSERT_TRUE(area_.Open(platform_).ok());
  memset(pages_, 0x77, sizeof(pages_));
  bool was_empty = false;
  platform_.before_change = [&] { was_empty = IsZero(); };
  ASSERT_TRUE(area_.Close(platform_).ok());
  EXPECT_TRUE(was_empty);
}

TEST_F(SharedAreaTest, AFailedChangeLeavesThePagesAlone) {
  platform_.failing_change = 1;
  EXPECT_FALSE(area_.Open(platform_).ok());
  EXPECT_FALSE(area_.open());
  area_.Clear();
  EXPECT_FALSE(IsZero());

  platform_.failing_change = 3;
  ASSERT_TRUE(area_.Open(platform_).ok());
  memset(pages_, 0x77, sizeof(pages_));
  EXPECT_FALSE(area_.Close(platform_).ok());
  memset(pages_, 0x77, sizeof(pages_));
  area_.Clear();
  EXPECT_FALSE(IsZero());
  EXPECT_TRUE(area_.Close(platform_).ok());
}

}  // namespace
}  // namespace svsm
