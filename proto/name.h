// SPDX-License-Identifier: Apache-2.0
//
// The form of names: of VMs, secrets and endpoints, in every message and in
// the configuration.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

namespace proto {

inline constexpr size_t kMaxNameSize = 128;  // bytes

// [a-z0-9._/-]
constexpr bool IsNameByte(uint8_t byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
         byte == '.' || byte == '_' || byte == '/' || byte == '-';
}

// 1 to kMaxNameSize name bytes: what a message may carry. What stands between
// the slashes is the business of who uses the name.
constexpr bool HasNameForm(base::Bytes name) {
  if (name.empty() || name.size() > kMaxNameSize) return false;
  for (const uint8_t byte : name) {
    if (!IsNameByte(byte)) return false;
  }
  return true;
}

}  // namespace proto
