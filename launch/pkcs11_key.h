// SPDX-License-Identifier: Apache-2.0
//
// Keys in PKCS#11 tokens, by OpenSSL's engine interface. Apart from the rest
// because that interface is deprecated; nothing else of OpenSSL 3.0 reaches
// libengine-pkcs11-openssl.
#pragma once

#include <stdint.h>

#include <memory>

#include "absl/status/statusor.h"
#include "hosted/openssl/openssl.h"
#include "launch/signing_key.h"

namespace launch {

// The key needs its engine: destroy it first.
struct LoadedKey {
  std::shared_ptr<void> engine;  // Null: the key is from a file.
  hosted::openssl::PkeyPtr key;
};

enum class KeyHalf : uint8_t { kPrivate, kPublic };

// Errors: LA8, LA32. The curve is not looked at.
absl::StatusOr<LoadedKey> LoadPkcs11Key(const KeySource& source, KeyHalf half);

}  // namespace launch
