// SPDX-License-Identifier: Apache-2.0
//
// Where every boot that does not reach a kernel ends: one place, so that a key
// is destroyed and a reason is printed on each way out.
#pragma once

#include "base/result.h"

namespace svsm {

// What there is to do before the machine goes off. Set as parts come up; both
// run at most once, and in an exception only `destroy_keys` does.
struct LastActs {
  void (*destroy_keys)() = nullptr;
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

// Destroys keys, prints "forelock: powering off"; then off, or else a halt with
// interrupts masked. For what has been printed and reported already.
[[noreturn]] void PowerOff();

// Off at once, or else a halt. For a failure of the failure path itself.
[[noreturn]] void CutPower();

}  // namespace svsm
