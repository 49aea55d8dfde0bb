// SPDX-License-Identifier: Apache-2.0
//
// A secret as the store keeps it: bytes, or a LUKS2 key with the digest of the
// only header under which it may be used (design section 2).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/secret_buffer.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

inline constexpr size_t kMaxSecretBytes = 4096;

enum class SecretKind : uint8_t { kData = 1, kLuks2 = 2 };

constexpr std::string_view NameOf(SecretKind kind) {
  return kind == SecretKind::kLuks2 ? "luks2" : "data";
}

struct SecretValue {
  SecretKind kind = SecretKind::kData;
  base::SecretBuffer<kMaxSecretBytes> bytes;
  uint64_t header_length = 0;       // LUKS2: bytes from the device's start.
  ossl::Digest256 header_sha256{};  // LUKS2.
};

}  // namespace verifier
