// SPDX-License-Identifier: Apache-2.0
//
// Reason codes of forelock-emulator.
#pragma once

#include "base/reasons.h"

#define FORELOCK_PSP_REASONS(X)                                             \
  X(kHierarchyUnusable, 'E', 'M', 1, "the key hierarchy cannot be used",    \
    "Run `forelock-emulator init`; if it is damaged, remove its folder.")   \
  X(kImageUnmeasurable, 'E', 'M', 2, "the guest image cannot be measured",  \
    "Give --image the file that QEMU gets by -kernel.")                     \
  X(kSocketUnusable, 'E', 'M', 3, "the socket for QEMU cannot be made",     \
    "Give a path of at most 107 characters in a folder that is writable.")  \
  X(kFaultUnknown, 'E', 'M', 4, "no fault of that name",                    \
    "`forelock-emulator serve --help` lists them.")                         \
  X(kDumpUnusable, 'E', 'M', 5, "the file for VMPCK0 cannot be written",    \
    "Check the path that --dump-vmpck has; it is for tests only.")          \
  X(kNotLaunched, 'E', 'M', 6, "a guest request before FirmwareAttach",     \
    "The guest image is broken, or does not match this emulator.")          \
  X(kAlreadyLaunched, 'E', 'M', 7,                                          \
    "this run of QEMU has had its secrets page",                            \
    "A VM that was reset needs a new QEMU; see docs/operate-host.md.")      \
  X(kPlatformUnknown, 'E', 'M', 8, "no such product or report version",     \
    "Products are milan, genoa, siena, turin; report versions are 2 to 5.") \
  X(kListUnwritable, 'E', 'M', 9, "what was made cannot be written",        \
    "Check the path that --output has.")

namespace psp {
FORELOCK_PSP_REASONS(BASE_DEFINE_REASON)
}  // namespace psp
