// SPDX-License-Identifier: Apache-2.0
//
// SHA-256, SHA-384 and SHA-512 (FIPS 180-4) over Mbed TLS.
//
// Hashing cannot fail: these run in software, on inline state, without heap.
// The state is wiped by Finish() and on destruction, since it may cover
// secrets.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>

#include "base/bytes.h"
#include "mbedtls/sha256.h"
#include "mbedtls/sha512.h"

namespace crypto {

using Sha256Digest = std::array<uint8_t, 32>;
using Sha384Digest = std::array<uint8_t, 48>;
using Sha512Digest = std::array<uint8_t, 64>;

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Update(base::Bytes bytes);
  // The digest of all that was given to Update(). Call once, last.
  Sha256Digest Finish();
  static Sha256Digest Of(base::Bytes bytes);

 private:
  mbedtls_sha256_context state_;
};

class Sha384 {
 public:
  Sha384();
  ~Sha384();
  Sha384(const Sha384&) = delete;
  Sha384& operator=(const Sha384&) = delete;

  void Update(base::Bytes bytes);
  Sha384Digest Finish();
  static Sha384Digest Of(base::Bytes bytes);

 private:
  mbedtls_sha512_context state_;
};

class Sha512 {
 public:
  Sha512();
  ~Sha512();
  Sha512(const Sha512&) = delete;
  Sha512& operator=(const Sha512&) = delete;

  void Update(base::Bytes bytes);
  Sha512Digest Finish();
  static Sha512Digest Of(base::Bytes bytes);

 private:
  mbedtls_sha512_context state_;
};

}  // namespace crypto
