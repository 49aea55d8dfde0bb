// SPDX-License-Identifier: Apache-2.0
//
// Limits that more than one protocol has.
#pragma once

#include <stddef.h>

namespace proto {

// Of one secret: the configuration may not ask for more, a verdict may not
// bring more. Bytes.
inline constexpr size_t kMaxSecretSize = 4096;

}  // namespace proto
