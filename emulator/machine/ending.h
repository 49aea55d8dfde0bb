// SPDX-License-Identifier: Apache-2.0
//
// How a run of the machine ended.
#pragma once

#include <stdint.h>

#include <string>
#include <utility>

namespace emulator::machine {

struct Ending {
  enum class Kind : uint8_t {
    kTerminated,     // The guest asked for it: reason set and code.
    kPoweredOff,     // PM1a.
    kHalted,         // HLT with interrupts off.
    kShutdown,       // A triple fault.
    kViolation,      // A rule of SNP was broken: `text` says which and where.
    kKernelReached,  // The run was to stop at the kernel's entry.
    kStopped,        // A hook or a limit ended it.
  };
  Kind kind = Kind::kStopped;
  uint8_t reason_set = 0, reason_code = 0;  // kTerminated.
  std::string text;

  static Ending Violation(std::string text) {
    return {.kind = Kind::kViolation, .text = std::move(text)};
  }
};

}  // namespace emulator::machine
