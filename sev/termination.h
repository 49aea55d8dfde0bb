// SPDX-License-Identifier: Apache-2.0
//
// How a guest says why it ends, in the 12 bits that the hypervisor prints: each
// module of a guest image has a reason code set, and a reason's number is its
// code.
//
// Spec: AMD 56421 (GHCB) rev. 2.03, section 2.3.1, "Termination Request": set 0
// is the specification's; 1 is what Linux says of itself
// (SEV_TERM_SET_LINUX). The numbers are in docs/errors.md and in people's
// notes: append only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/result.h"
#include "sev/ghcb.h"

namespace sev {

struct Termination {
  uint8_t set = kTerminateSetGeneral;  // 4 bits
  uint8_t code = kTerminateGeneral;
  friend constexpr bool operator==(Termination, Termination) = default;
};

inline constexpr uint8_t kTerminateFirstSet = 6;
// Tags of the modules that a guest image holds; the first is set 6.
inline constexpr char kTerminateTags[][3] = {
    "BA", "CR", "PR", "SV", "AT", "PC", "SM", "SL", "SR", "SP",
};
inline constexpr size_t kTerminateTagCount =
    sizeof(kTerminateTags) / sizeof(kTerminateTags[0]);
static_assert(kTerminateFirstSet + kTerminateTagCount <= 16);

// The set and code of a reason; set 0, code 0 for one that no guest has.
constexpr Termination TerminationOf(base::Reason reason) {
  for (size_t i = 0; reason.number() != 0 && i < kTerminateTagCount; ++i) {
    if (reason.tag0() == kTerminateTags[i][0] &&
        reason.tag1() == kTerminateTags[i][1]) {
      return Termination{.set = static_cast<uint8_t>(kTerminateFirstSet + i),
                         .code = reason.number()};
    }
  }
  return Termination{};
}

// The reason that TerminationOf() made into `termination`; none for a set or a
// code that is not ours.
constexpr base::Reason ReasonOf(Termination termination) {
  const size_t at = size_t{termination.set} - kTerminateFirstSet;
  if (termination.set < kTerminateFirstSet || at >= kTerminateTagCount ||
      termination.code == 0) {
    return base::Reason();
  }
  const auto byte = [](char c) { return uint32_t{static_cast<uint8_t>(c)}; };
  return base::Reason::FromBits(byte(kTerminateTags[at][0]) << 16 |
                                byte(kTerminateTags[at][1]) << 8 |
                                termination.code);
}

// What is written to kGhcbMsr to end.
constexpr uint64_t TerminateRequest(Termination termination) {
  return uint64_t{termination.code} << kMsrTerminateCodeShift |
         uint64_t{termination.set & 0xFu} << kMsrTerminateSetShift |
         kMsrTerminate;
}
constexpr uint64_t TerminateRequest(base::Reason reason) {
  return TerminateRequest(TerminationOf(reason));
}
// Set and code of such a value, for who reads it.
constexpr Termination TerminationIn(uint64_t request) {
  return Termination{
      .set = static_cast<uint8_t>(request >> kMsrTerminateSetShift & 0xF),
      .code = static_cast<uint8_t>(request >> kMsrTerminateCodeShift & 0xFF)};
}

}  // namespace sev
