// SPDX-License-Identifier: Apache-2.0
#include "verifier/server/peer_limits.h"

#include <string>

#include "gtest/gtest.h"

namespace verifier {
namespace {

using Admission = SessionCounts::Admission;
using std::chrono::seconds;

TEST(SessionCounts, OneSourceCannotTakeAll) {
  SessionCounts counts(4, 2);
  EXPECT_EQ(counts.Enter("a"), Admission::kAdmitted);
  EXPECT_EQ(counts.Enter("a"), Admission::kAdmitted);
  EXPECT_EQ(counts.Enter("a"), Admission::kTooManyOfSource);
  EXPECT_EQ(counts.Enter("b"), Admission::kAdmitted);
  EXPECT_EQ(counts.Enter("c"), Admission::kAdmitted);
  EXPECT_EQ(counts.Enter("d"), Admission::kTooMany);
  counts.Leave("a");
  EXPECT_EQ(counts.Enter("d"), Admission::kAdmitted);
  counts.Leave("never came");
  EXPECT_EQ(counts.open(), 4u);
}

TEST(MinuteLimit, CountsTheRest) {
  MinuteLimit limit(2, 100);
  const MinuteLimit::Instant now{seconds(1000)};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(limit.Allow("a", now), i < 2);
  EXPECT_TRUE(limit.Allow("b", now));
  EXPECT_EQ(limit.TakeDropped(), 8u);
  EXPECT_EQ(limit.TakeDropped(), 0u);
  EXPECT_FALSE(limit.Allow("a", now + seconds(59)));
  EXPECT_TRUE(limit.Allow("a", now + seconds(60)));
}

TEST(MinuteLimit, ManySourcesAreBoundedToo) {
  MinuteLimit limit(2, 10);
  const MinuteLimit::Instant now{seconds(1000)};
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(limit.Allow(std::to_string(i), now), i < 10) << i;
  }
  EXPECT_EQ(limit.TakeDropped(), 40u);
}

}  // namespace
}  // namespace verifier
