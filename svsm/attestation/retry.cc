// SPDX-License-Identifier: Apache-2.0
#include "svsm/attestation/retry.h"

#include <algorithm>

namespace svsm {

bool RetryPolicy::ShouldRetry(const AttemptResult& result) {
  pause_ms_ = std::min(pause_ms_ * 2, kLongestPauseMs);
  if (result.processor_failed) return false;
  if (result.status.ok()) return result.outcome == proto::Outcome::kTryLater;
  return result.status.code() == base::Code::kUnavailable ||
         result.status.code() == base::Code::kDeadlineExceeded;
}

}  // namespace svsm
