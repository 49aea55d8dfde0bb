// SPDX-License-Identifier: Apache-2.0
//
// Reasons of folders of vectors. A code stays what it is: these have the tag of
// cli/, whose list ends with them.
#pragma once

#include "base/reasons.h"

#define FORELOCK_CONFORMANCE_REASONS(X)                                   \
  X(kVectorsManifest, 'C', 'L', 40,                                       \
    "manifest.json of the vectors is of no use",                          \
    "verifier/conformance/README.md says what it must hold.")             \
  X(kVectorPath, 'C', 'L', 41, "a vector's path leads out of its folder", \
    "Do not use this manifest: whoever wrote it meant harm.")             \
  X(kVectorDigest, 'C', 'L', 42,                                          \
    "a file is not the one that the manifest names",                      \
    "It was changed, or belongs to another manifest.")                    \
  X(kVectorPages, 'C', 'L', 43, "a list of measured pages is malformed",  \
    "Each row: page type, address, SHA-384 of what is measured.")         \
  X(kVectorUnknown, 'C', 'L', 44, "no vector is called so",               \
    "See the ids and kinds that are there: forelock vectors DIR.")

namespace verifier::conformance {
FORELOCK_CONFORMANCE_REASONS(BASE_DEFINE_REASON)
}  // namespace verifier::conformance
