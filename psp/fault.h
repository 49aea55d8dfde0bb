// SPDX-License-Identifier: Apache-2.0
//
// Ways in which the emulated secure processor, or the host between it and the
// guest, can be made to misbehave. For tests: `forelock-emulator --fault NAME`.
#pragma once

#include <stdint.h>

#include <optional>
#include <string_view>

namespace psp {

// Columns: constant, name on the command line, what happens.
#define FORELOCK_PSP_FAULTS(X)                                               \
  X(kNone, "none", "answers as it should")                                   \
  X(kBusyOnce, "busy-once", "the host says busy to the first request")       \
  X(kBusyForever, "busy-forever", "the host says busy to every request")     \
  X(kGarbage, "garbage", "the answer is random bytes")                       \
  X(kStale, "stale", "the answer is an authentic one to an earlier request") \
  X(kWrongSequence, "wrong-sequence", "the answer skips a sequence number")  \
  X(kWrongReportData, "wrong-report-data",                                   \
    "the report is over other report data, and signed")                      \
  X(kWrongVmpl, "wrong-vmpl", "the report says VMPL 1, and is signed")       \
  X(kFirmwareError, "firmware-error", "the firmware returns an error")       \
  X(kSilent, "silent", "no answer")                                          \
  X(kClose, "close", "the connection is closed instead of an answer")

enum class Fault : uint8_t {
#define FORELOCK_DEFINE_FAULT(constant, name, what) constant,
  FORELOCK_PSP_FAULTS(FORELOCK_DEFINE_FAULT)
#undef FORELOCK_DEFINE_FAULT
};

inline std::optional<Fault> FaultNamed(std::string_view wanted) {
#define FORELOCK_MATCH_FAULT(constant, name, what) \
  if (wanted == name) return Fault::constant;
  FORELOCK_PSP_FAULTS(FORELOCK_MATCH_FAULT)
#undef FORELOCK_MATCH_FAULT
  return std::nullopt;
}

}  // namespace psp
