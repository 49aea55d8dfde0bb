// SPDX-License-Identifier: Apache-2.0
//
// TscClock: base::Clock over the time-stamp counter.
//
// The frequency comes from the measured configuration and may be wrong by a
// factor of 4; the host may stop the counter or set it back. So each turn of a
// waiting loop also counts for the least time it can take: no wait lasts
// forever while the CPU runs, and time never goes back. A counter set so far
// ahead that the time does not fit is the end of time, Instant{UINT64_MAX}:
// every deadline has passed, and stays so.
#pragma once

#include <stdint.h>

#include "base/time.h"

namespace svsm {

class TscClock final : public base::Clock {
 public:
  static constexpr uint64_t kNanosecondsPerTurn = 10;
  static constexpr base::Instant kStart{0};  // when it was made

  // `read` is RDTSC and `pause` PAUSE; tests have fakes. Starts at 0 now.
  TscClock(uint64_t (*read)(), void (*pause)())
      : read_(read), pause_(pause), start_(read()) {}

  // `kilohertz` is 1 at least. Call before the first deadline is made.
  void SetKilohertz(uint32_t kilohertz) { kilohertz_ = kilohertz; }

  // Moves the end of all waits to `time` from now if it is nearer than that.
  // Once: what a host makes of it is added to a boot's time once.
  void AllowLastWord(base::Milliseconds time);

  base::Instant Now() override;
  void Relax() override;

 private:
  uint64_t (*read_)();
  void (*pause_)();
  uint64_t start_;
  bool last_word_ = false;
  uint64_t kilohertz_ = 2'500'000;
  uint64_t latest_ = 0;       // ns; what Now() returned last
  uint64_t turns_since_ = 0;  // turns in which the counter gave nothing new
};

}  // namespace svsm
