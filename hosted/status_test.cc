// SPDX-License-Identifier: Apache-2.0
#include "hosted/status.h"

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace hosted {
namespace {

constexpr base::Reason kCold('T', 'T', 1), kHot('T', 'T', 12);
constexpr base::Reason kUnlisted('T', 'T', 13);
constexpr base::ReasonRow kRows[] = {{kCold, "it is cold", "Wait."},
                                     {kHot, "it is hot", "Run."}};

TEST(Error, HasOneForm) {
  EXPECT_EQ(Error(kRows, kCold, "-3 C").message(), "TT1 it is cold: -3 C");
  EXPECT_EQ(Error(kRows, kHot, "").message(), "TT12 it is hot");
  EXPECT_EQ(Error(kRows, kUnlisted, "seen").message(), "TT13: seen");
  EXPECT_EQ(Error(kRows, kUnlisted, "").message(), "TT13");
  EXPECT_TRUE(absl::IsInvalidArgument(Error(kRows, kCold, "")));
  EXPECT_TRUE(
      absl::IsNotFound(Error(kRows, kCold, "", absl::StatusCode::kNotFound)));
}

TEST(Error, CarriesItsReasonBesideItsText) {
  const absl::Status status = Error(kRows, kCold, "TT12 it is hot: no");
  EXPECT_EQ(ReasonOf(status), kCold);
  EXPECT_TRUE(Is(status, kCold));
  EXPECT_FALSE(Is(status, kHot));
  EXPECT_EQ(DetailOf(status), "TT12 it is hot: no");
  EXPECT_EQ(DetailOf(Error(kRows, kCold, "")), "");
}

// What looks like one of ours is not one.
TEST(ReasonOf, KnowsNoneOfAForeignStatus) {
  const absl::Status foreign = absl::InternalError("TT1 it is cold: -3 C");
  EXPECT_FALSE(ReasonOf(foreign));
  EXPECT_FALSE(Is(foreign, kCold));
  EXPECT_EQ(DetailOf(foreign), "TT1 it is cold: -3 C");
  EXPECT_FALSE(ReasonOf(absl::OkStatus()));
  EXPECT_FALSE(Is(absl::OkStatus(), base::Reason()));
}

TEST(FromBase, KeepsCodeAndReason) {
  const absl::Status status = FromBase(
      kRows, base::Status(base::Code::kDataLoss, kHot), "the third field");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "TT12 it is hot: the third field");
  EXPECT_TRUE(Is(status, kHot));
  EXPECT_TRUE(FromBase(kRows, base::Status(), "x").ok());
}

TEST(TextOf, IsEmptyForAnUnknownReason) {
  EXPECT_EQ(TextOf(kRows, kHot).advice, "Run.");
  EXPECT_EQ(TextOf(kRows, kUnlisted).what, "");
}

}  // namespace
}  // namespace hosted
