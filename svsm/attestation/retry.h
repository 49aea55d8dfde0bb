// SPDX-License-Identifier: Apache-2.0
//
// When a failed attestation is tried again.
//
// Always as a whole: another connection, another nonce, another report. Only
// what may pass by itself is tried again: an endpoint that cannot be reached, a
// connection or proxy that went away or does not answer, a verifier that says
// try_later. Never what somebody decided or what failed a check, and never
// after the secure processor failed, whose key is then gone. How often is the
// boot's deadline to say.
#pragma once

#include <stdint.h>

#include <array>

#include "base/result.h"
#include "base/time.h"
#include "proto/attest.h"

namespace svsm {

// How one attempt ended.
struct AttemptResult {
  base::Status status;  // Ok: there is a verdict.
  proto::Outcome outcome = proto::Outcome::kProtocolError;
  bool processor_failed = false;
  // Of the verdict; zeros if there is none.
  std::array<uint8_t, proto::kDecisionIdSize> decision_id{};
};

class RetryPolicy {
 public:
  static constexpr uint64_t kFirstPauseMs = 100;
  static constexpr uint64_t kLongestPauseMs = 4000;

  // True: pause for pause(), then try again.
  bool ShouldRetry(const AttemptResult& result);
  base::Milliseconds pause() const { return base::Milliseconds{pause_ms_}; }

 private:
  uint64_t pause_ms_ = kFirstPauseMs / 2;
};

}  // namespace svsm
