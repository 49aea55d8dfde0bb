// SPDX-License-Identifier: Apache-2.0
#include "svsm/attestation/retry.h"

#include "base/reasons.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "proto/attest.h"

namespace svsm {
namespace {

using base::Code;
using proto::Outcome;

bool Retries(AttemptResult result) { return RetryPolicy().ShouldRetry(result); }

TEST(RetryPolicyTest, VerdictsAreFinalButTryLater) {
  EXPECT_TRUE(Retries({.outcome = Outcome::kTryLater}));
  for (const Outcome outcome :
       {Outcome::kGranted, Outcome::kEvidenceInvalid, Outcome::kNotAuthorised,
        Outcome::kProtocolError}) {
    EXPECT_FALSE(Retries({.outcome = outcome}));
  }
}

TEST(RetryPolicyTest, OnlyWhatMayPassByItselfIsTriedAgain) {
  for (const Code code :
       {Code::kInvalidArgument, Code::kDeadlineExceeded, Code::kNotFound,
        Code::kPermissionDenied, Code::kResourceExhausted,
        Code::kFailedPrecondition, Code::kInternal, Code::kUnavailable,
        Code::kDataLoss, Code::kUnauthenticated}) {
    EXPECT_EQ(Retries({.status = base::Status(code, base::kStreamClosed)}),
              code == Code::kUnavailable || code == Code::kDeadlineExceeded);
  }
}

TEST(RetryPolicyTest, NothingIsTriedWithoutTheProcessorsKey) {
  EXPECT_FALSE(
      Retries({.status = base::Status(Code::kUnavailable, base::kStreamClosed),
               .processor_failed = true}));
}

// Their number is the boot deadline's to bound.
TEST(RetryPolicyTest, PausesGrowToTheLongest) {
  RetryPolicy policy;
  const AttemptResult later = {.outcome = Outcome::kTryLater};
  uint64_t last = RetryPolicy::kFirstPauseMs;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(policy.ShouldRetry(later));
    const auto pause = static_cast<uint64_t>(policy.pause());
    EXPECT_GE(pause, last);
    last = pause;
  }
  EXPECT_EQ(last, RetryPolicy::kLongestPauseMs);
}

}  // namespace
}  // namespace svsm
