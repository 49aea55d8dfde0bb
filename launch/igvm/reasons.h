// SPDX-License-Identifier: Apache-2.0
//
// Reason codes of launch/igvm/: files that are not IGVM, or not by its rules.
#pragma once

#include "base/reasons.h"

#define FORELOCK_IGVM_REASONS(X)                                              \
  X(kNotIgvm, 'I', 'G', 1, "file is not an IGVM file",                        \
    "Give the .igvm file as it was built.")                                   \
  X(kUnknownVersion, 'I', 'G', 2,                                             \
    "IGVM file is of another version, architecture or page size",             \
    "Only versions 1 and 2 with 4 KiB pages are known; update this program.") \
  X(kBadSizes, 'I', 'G', 3, "IGVM file has another size than it says",        \
    "The file was cut or altered; copy it again.")                            \
  X(kBadChecksum, 'I', 'G', 4, "IGVM file's headers have another checksum",   \
    "The file was altered after it was built.")                               \
  X(kBadHeader, 'I', 'G', 5, "a header of the IGVM file is malformed",        \
    "Whoever built the file broke a rule of the format.")                     \
  X(kBadOrder, 'I', 'G', 6, "headers of the IGVM file are out of order",      \
    "Platforms come first, then initialisation, then directives.")            \
  X(kBadData, 'I', 'G', 7, "IGVM header points outside the file's data",      \
    "The file was cut, or whoever built it broke a rule of the format.")      \
  X(kBadParameter, 'I', 'G', 8, "IGVM parameter area is misused",             \
    "Whoever built the file broke a rule of the format.")                     \
  X(kTooLarge, 'I', 'G', 9, "IGVM file is over this program's limits",        \
    "A file of this size was not meant to be launched.")

namespace igvm {
FORELOCK_IGVM_REASONS(BASE_DEFINE_REASON)
}  // namespace igvm
