// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

namespace crypto {
namespace {

// Mbed TLS's software hashes fail only for arguments that are never given here.
void Must(int result) {
  if (result != 0) __builtin_trap();
}

}  // namespace

Sha256::Sha256() {
  mbedtls_sha256_init(&state_);
  Must(mbedtls_sha256_starts(&state_, /*is224=*/0));
}
Sha256::~Sha256() { mbedtls_sha256_free(&state_); }

void Sha256::Update(base::Bytes bytes) {
  Must(mbedtls_sha256_update(&state_, bytes.data(), bytes.size()));
}

Sha256Digest Sha256::Finish() {
  Sha256Digest digest;
  Must(mbedtls_sha256_finish(&state_, digest.data()));
  mbedtls_sha256_free(&state_);
  return digest;
}

Sha256Digest Sha256::Of(base::Bytes bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Finish();
}

Sha384::Sha384() {
  mbedtls_sha512_init(&state_);
  Must(mbedtls_sha512_starts(&state_, /*is384=*/1));
}
Sha384::~Sha384() { mbedtls_sha512_free(&state_); }

void Sha384::Update(base::Bytes bytes) {
  Must(mbedtls_sha512_update(&state_, bytes.data(), bytes.size()));
}

Sha384Digest Sha384::Finish() {
  Sha384Digest digest;
  Must(mbedtls_sha512_finish(&state_, digest.data()));
  mbedtls_sha512_free(&state_);
  return digest;
}

Sha384Digest Sha384::Of(base::Bytes bytes) {
  Sha384 hash;
  hash.Update(bytes);
  return hash.Finish();
}

Sha512::Sha512() {
  mbedtls_sha512_init(&state_);
  Must(mbedtls_sha512_starts(&state_, /*is384=*/0));
}
Sha512::~Sha512() { mbedtls_sha512_free(&state_); }

void Sha512::Update(base::Bytes bytes) {
  Must(mbedtls_sha512_update(&state_, bytes.data(), bytes.size()));
}

Sha512Digest Sha512::Finish() {
  Sha512Digest digest;
  Must(mbedtls_sha512_finish(&state_, digest.data()));
  mbedtls_sha512_free(&state_);
  return digest;
}

Sha512Digest Sha512::Of(base::Bytes bytes) {
  Sha512 hash;
  hash.Update(bytes);
  return hash.Finish();
}

}  // namespace crypto
