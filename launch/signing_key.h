// SPDX-License-Identifier: Apache-2.0
//
// ID keys and author keys: ECDSA P-384, from a PEM file, or in a PKCS#11 token
// through OpenSSL's engine "pkcs11", which is loaded when it is asked for.
//
// Spec: sev/id_block.h; RFC 7512 (pkcs11: URIs).
#pragma once

#include <stdint.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "hosted/openssl/openssl.h"
#include "sev/id_block.h"

namespace launch {

struct KeySource {
  // A PEM file, or a URI that begins with "pkcs11:".
  std::string name;
  // Of a token: a file whose first line is the PIN; empty: the URI's
  // pin-source says, or the token wants none.
  std::string pin_file;
  // Of a token: the PKCS#11 library; empty: the engine's own default.
  std::string pkcs11_module;
};

using EcdsaKeyBytes = std::array<uint8_t, sev::kEcdsaKeySize>;
using EcdsaSignatureBytes = std::array<uint8_t, sev::kEcdsaSignatureSize>;

class SigningKey {
 public:
  // InvalidArgument:
  //   LA8 the file cannot be read; LA30 it holds no EC P-384 private key;
  //   LA31 it is encrypted; LA32 the engine, its module or the token has no
  //   such key for this PIN, or the URI has the PIN in it.
  static absl::StatusOr<SigningKey> Load(const KeySource& source);

  // As ID_AUTH has it; IdKeyDigest() of it is what reports and policies name.
  const EcdsaKeyBytes& public_key() const { return public_key_; }

  // ECDSA with SHA-384. LA30: the key or its token does not sign.
  absl::StatusOr<EcdsaSignatureBytes> Sign(base::Bytes message) const;

 private:
  SigningKey(std::shared_ptr<void> engine, hosted::openssl::PkeyPtr key,
             const EcdsaKeyBytes& public_key)
      : engine_(std::move(engine)),
        key_(std::move(key)),
        public_key_(public_key) {}

  std::shared_ptr<void> engine_;  // Outlives the key.
  hosted::openssl::PkeyPtr key_;
  EcdsaKeyBytes public_key_;
};

// The public half; a PEM file may hold that alone, and a token gives it without
// a PIN where its public object is there. Errors as SigningKey::Load().
absl::StatusOr<EcdsaKeyBytes> LoadPublicKey(const KeySource& source);

}  // namespace launch
