// SPDX-License-Identifier: Apache-2.0
//
// The operator's console: whole lines on COM1, each with the prefix
// "forelock: ". The lines are an interface (docs/console.md): tests and the
// demo read them. Untrusted by nature, so nothing secret is ever printed.
#pragma once

#include <stdint.h>

#include "base/time.h"
#include "svsm/console/line.h"

namespace svsm::console {

// Sets the device up. Before it, and without a device, printing is harmless.
void Init();

// "forelock: <text>\n"
void Print(const Line& line);

// "forelock: [   12.345 ms] <text>\n"
void PrintTimed(uint64_t elapsed_ns, const Line& line);

// Behind the end of `clock`'s waits (base::Clock::EndAt) printing waits for
// nothing. It must outlive the console.
void HurryAfterEndOf(base::Clock& clock);

// Waits, boundedly, until the device has sent everything.
void Flush();

}  // namespace svsm::console
