// SPDX-License-Identifier: Apache-2.0
#include "svsm/cpu/tsc_clock.h"

namespace svsm {

base::Instant TscClock::Now() {
  const uint64_t counter = read_();
  const uint64_t ticks = counter > start_ ? counter - start_ : 0;
  // ticks / kHz is milliseconds; scaled in two parts to stay in 64 bits.
  const uint64_t elapsed = ticks / kilohertz_ * 1'000'000 +
                           ticks % kilohertz_ * 1'000'000 / kilohertz_;
  const uint64_t counted = latest_ + turns_since_ * kNanosecondsPerTurn;
  latest_ = elapsed > counted ? elapsed : counted;
  turns_since_ = 0;
  return base::Instant{latest_};
}

void TscClock::Relax() {
  ++turns_since_;
  pause_();
}

}  // namespace svsm
