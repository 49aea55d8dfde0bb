// SPDX-License-Identifier: Apache-2.0
#include "svsm/cpu/tsc_clock.h"

namespace svsm {
namespace {

// The host can set the counter anywhere: what does not fit in 64 bits is the
// end of time, which every deadline has passed.
uint64_t SaturatingAdd(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

uint64_t SaturatingMultiply(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

}  // namespace

base::Instant TscClock::Now() {
  const uint64_t counter = read_();
  const uint64_t ticks = counter > start_ ? counter - start_ : 0;
  // ticks / kHz is milliseconds; scaled in two parts for the precision. The
  // second cannot overflow: kilohertz_ has 32 bits.
  const uint64_t elapsed =
      SaturatingAdd(SaturatingMultiply(ticks / kilohertz_, 1'000'000),
                    ticks % kilohertz_ * 1'000'000 / kilohertz_);
  const uint64_t counted = SaturatingAdd(
      latest_, SaturatingMultiply(turns_since_, kNanosecondsPerTurn));
  latest_ = elapsed > counted ? elapsed : counted;
  turns_since_ = 0;
  return base::Instant{latest_};
}

void TscClock::AllowLastWord(base::Milliseconds time) {
  if (last_word_) return;
  last_word_ = true;
  const base::Instant end = Now() + time;
  if (end > this->end()) EndAt(end);
}

void TscClock::Relax() {
  ++turns_since_;
  pause_();
}

}  // namespace svsm
