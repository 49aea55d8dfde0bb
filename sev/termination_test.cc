// SPDX-License-Identifier: Apache-2.0
#include "sev/termination.h"

#include "base/result.h"
#include "gtest/gtest.h"
#include "sev/ghcb.h"
#include "sev/reasons.h"

namespace sev {
namespace {

TEST(Termination, IsWhatTheHypervisorSplits) {
  // SV10: set 9, code 10. KVM prints it as "0x9:0xa".
  static_assert(TerminateRequest(kSecretsPageUnknownVersion) == 0x0A9100);
  constexpr Termination in = TerminationIn(0x0A9100);
  static_assert(in == Termination{.set = 9, .code = 10});
  static_assert(ReasonOf(in) == kSecretsPageUnknownVersion);
  static_assert(TerminateRequest(base::Reason('S', 'P', 255)) == 0xFFF100);
}

TEST(Termination, WhatNoGuestHasIsTheGeneralRequest) {
  EXPECT_EQ(TerminateRequest(base::Reason()), kMsrTerminate);
  EXPECT_EQ(TerminateRequest(base::Reason('V', 'E', 1)), kMsrTerminate);
  EXPECT_EQ(TerminateRequest(base::Reason('S', 'V', 0)), kMsrTerminate);
}

TEST(Termination, SetsAndCodesOfOthersAreNoReason) {
  for (unsigned set = 0; set < 256; ++set) {
    for (unsigned code = 0; code < 256; ++code) {
      const Termination termination = {.set = static_cast<uint8_t>(set),
                                       .code = static_cast<uint8_t>(code)};
      const base::Reason reason = ReasonOf(termination);
      if (set < kTerminateFirstSet || set > 15 || code == 0) {
        EXPECT_EQ(reason, base::Reason()) << set << ":" << code;
      } else {
        EXPECT_EQ(TerminationOf(reason), termination) << set << ":" << code;
      }
    }
  }
}

}  // namespace
}  // namespace sev
