// SPDX-License-Identifier: Apache-2.0
//
// Where every boot that does not reach a kernel ends: one place, so that a key
// is destroyed and a reason is printed on each way out.
#pragma once

#include <stdint.h>

#include <array>

#include "base/result.h"

namespace svsm {

// What there is to do before the machine goes off. Set as parts come up. Each
// but the first is run until it returns, kTries times at most, so it must bear
// to be run again from any place in it; `report` once, and not in an exception.
struct LastActs {
  // An act may raise an exception because its page is gone, or be interrupted
  // by an event that the host injects. The first comes again and must not keep
  // the next acts from being done; the second must not make one be left out.
  static constexpr uint8_t kTries = 16;

  // Lets what follows wait for a short time, though the boot's may be over. Run
  // before the reason is printed, in exceptions too, perhaps more than once:
  // plain stores and a look at the clock, and only the first call counts.
  void (*allow_last_word)() = nullptr;
  // Plain stores to memory that the host can read: cannot wait, cannot fail.
  // Ends the channel, so it comes after `report`.
  void (*clear_shared_pages)() = nullptr;
  // The image's keys, and secrets that a kernel was to get, in this order: the
  // dearest first, and what is not in the image last.
  std::array<void (*)(), 9> wipes{};
  // Tells the host's operator over the channel, within its own deadline.
  void (*report)(base::Status why) = nullptr;
};
extern LastActs last_acts;

// Prints "forelock: failed: <REASON> <text>", destroys keys, reports, and
// powers the machine off, even if a last act raises an exception. `why` is not
// ok; an ok one counts as kTrap.
[[noreturn]] void Fail(base::Status why);

// As Fail, from an exception handler: nothing that was interrupted is used.
[[noreturn]] void FailInException(base::Status why);

// Remembers the first failure, which is what the host is told at the end, even
// if saying more about it fails.
void RecordFailure(base::Status why);

// Does all last acts but the report, prints "forelock: powering off"; then off,
// or else Platform::Stop with the failure, if there was one. For what has been
// printed and reported already.
[[noreturn]] void PowerOff();

// As PowerOff, without a word. For a failure of the failure path itself: what
// is left of the last acts is done. `why` counts where no failure was recorded.
[[noreturn]] void CutPower(base::Status why);

}  // namespace svsm
