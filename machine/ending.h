// SPDX-License-Identifier: Apache-2.0
//
// How a run of the machine ended.
#pragma once

#include <stdint.h>

#include <string>
#include <string_view>
#include <utility>

namespace machine {

struct Ending {
  enum class Kind : uint8_t {
    kTerminated,     // The guest asked for it: reason set and code.
    kPoweredOff,     // PM1a.
    kHalted,         // HLT: nothing here wakes a CPU.
    kShutdown,       // A triple fault.
    kViolation,      // A rule of SNP was broken: `text` says which and where.
    kKernelReached,  // The run was to stop at the kernel.
    kStopped,        // A hook or a limit ended it.
  };
  Kind kind = Kind::kStopped;
  uint8_t reason_set = 0, reason_code = 0;  // kTerminated.
  std::string text;

  static Ending Violation(std::string text) {
    return {.kind = Kind::kViolation, .text = std::move(text)};
  }
};

constexpr std::string_view NameOf(Ending::Kind kind) {
  switch (kind) {
    case Ending::Kind::kTerminated:
      return "terminated";
    case Ending::Kind::kPoweredOff:
      return "powered-off";
    case Ending::Kind::kHalted:
      return "halted";
    case Ending::Kind::kShutdown:
      return "shutdown";
    case Ending::Kind::kViolation:
      return "violation";
    case Ending::Kind::kKernelReached:
      return "kernel-reached";
    case Ending::Kind::kStopped:
      return "stopped";
  }
  return "unknown";
}

}  // namespace machine
