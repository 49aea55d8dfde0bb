// SPDX-License-Identifier: Apache-2.0
//
// What tests of several folders want of the emulator.
#pragma once

#include <stdint.h>

#include <span>

#include "base/time.h"
#include "emulator/hierarchy.h"

namespace emulator {

// One hierarchy for all tests of a process: RSA-4096 keys take seconds.
inline const Hierarchy& TestHierarchy() {
  static const Hierarchy* const hierarchy = [] {
    auto generated = Hierarchy::Generate();
    return new Hierarchy(*std::move(generated));
  }();
  return *hierarchy;
}

// A clock that moves only when someone waits.
class FakeClock final : public base::Clock {
 public:
  base::Instant Now() override { return now_; }
  void Relax() override { now_ = now_ + base::Milliseconds{1}; }

 private:
  base::Instant now_{1};
};

}  // namespace emulator
