// SPDX-License-Identifier: Apache-2.0
//
// Instants and deadlines. They bound waiting (liveness) and nothing else: the
// host can stop the clock, so no security decision reads one.
#pragma once

#include <stdint.h>

namespace base {

// An instant on a monotonic clock, in nanoseconds since an arbitrary start.
enum class Instant : uint64_t {};

enum class Milliseconds : uint64_t {};

constexpr Instant operator+(Instant t, Milliseconds ms) {
  uint64_t ns = 0;
  uint64_t sum = 0;
  if (__builtin_mul_overflow(static_cast<uint64_t>(ms), uint64_t{1000000},
                             &ns) ||
      __builtin_add_overflow(static_cast<uint64_t>(t), ns, &sum)) {
    return Instant{UINT64_MAX};
  }
  return Instant{sum};
}

class Clock {
 public:
  virtual Instant Now() = 0;

  // No wait outlives `end`: behind it every deadline has passed. One for all
  // waits of a boot together, which each of their own deadlines does not give.
  void EndAt(Instant end) { end_ = end; }
  Instant end() const { return end_; }

  // Called once in each turn of a loop that waits: PAUSE in the guest, a yield
  // or a turn of the peer in host tests.
  virtual void Relax() = 0;

  bool Passed(Instant deadline) {
    const Instant now = Now();
    return now >= deadline || now >= end_;
  }

 protected:
  ~Clock() = default;

 private:
  Instant end_{UINT64_MAX};
};

}  // namespace base
