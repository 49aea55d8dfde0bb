// SPDX-License-Identifier: Apache-2.0
//
// Reasons of the image itself: boot, memory, platform, CPU. See base/reasons.h.
// SM1 and SM2 are also printed by boot/entry.S, which has no other words.
#pragma once

#include "base/reasons.h"

#define FORELOCK_SVSM_REASONS(X)                                               \
  X(kSecondCpu, 'S', 'M', 1, "a second CPU entered the image",                 \
    "The host started another CPU in the guest's image; only one may run it.") \
  X(kNoLongMode, 'S', 'M', 2, "the CPU has no long mode or no NX",             \
    "Use a 64-bit CPU model with NX, for example -cpu max.")                   \
  X(kException, 'S', 'M', 3, "the CPU raised an exception",                    \
    "A bug; report it with the lines printed before.")                         \
  X(kTrap, 'S', 'M', 4, "the image found itself in a state it rules out",      \
    "A bug; report it with the lines printed before.")                         \
  X(kConfigMissing, 'S', 'M', 5, "the configuration is missing",               \
    "Run `forelock image configure` on the image before launching it.")

namespace svsm {
FORELOCK_SVSM_REASONS(BASE_DEFINE_REASON)
}
