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
              code == Code::kUnavailable);
  }
}

TEST(RetryPolicyTest, NothingIsTriedWithoutTheProcessorsKey) {
  EXPECT_FALSE(
      Retries({.status = base::Status(Code::kUnavailable, base::kStreamClosed),
               .processor_failed = true}));
}

TEST(RetryPolicyTest, AttemptsAreBoundedAndPausesGrow) {
  RetryPolicy policy;
  const AttemptResult later = {.outcome = Outcome::kTryLater};
  uint64_t last = 0;
  uint32_t attempts = 1;
  while (policy.ShouldRetry(later)) {
    const auto pause = static_cast<uint64_t>(policy.pause());
    EXPECT_GE(pause, last);
    EXPECT_LE(pause, RetryPolicy::kLongestPauseMs);
    EXPECT_GE(pause, RetryPolicy::kFirstPauseMs);
    last = pause;
    ASSERT_LT(++attempts, 100u);
  }
  EXPECT_EQ(attempts, RetryPolicy::kMaxAttempts);
}

}  // namespace
}  // namespace svsm
