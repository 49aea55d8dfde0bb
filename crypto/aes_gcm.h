// SPDX-License-Identifier: Apache-2.0
//
// AES-256-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags.
//
// The caller chooses nonces and must never repeat one under a key. The key
// schedule is on the Mbed TLS heap; Wipe() and the destructor zeroise it.
#pragma once

#include <stdint.h>

#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "mbedtls/gcm.h"

namespace crypto {

class Aes256Gcm {
 public:
  static constexpr size_t kKeySize = 32;
  static constexpr size_t kNonceSize = 12;
  static constexpr size_t kTagSize = 16;

  Aes256Gcm() { mbedtls_gcm_init(&context_); }
  ~Aes256Gcm() { Wipe(); }
  Aes256Gcm(const Aes256Gcm&) = delete;
  Aes256Gcm& operator=(const Aes256Gcm&) = delete;

  // Takes the key; the caller still owns, and must wipe, the original. Replaces
  // an earlier key.
  //   kResourceExhausted (kTlsOutOfMemory): no heap.
  base::Status Init(std::span<const uint8_t, kKeySize> key);

  bool ready() const { return ready_; }

  // cipher.size() equals plain.size(); they are the same memory or do not
  // overlap.
  //   kFailedPrecondition: no key. kInvalidArgument: sizes differ.
  base::Status Seal(std::span<const uint8_t, kNonceSize> nonce,
                    base::Bytes associated, base::Bytes plain,
                    base::MutableBytes cipher,
                    std::span<uint8_t, kTagSize> tag);

  // As Seal(). On failure `plain` is all zero.
  //   kUnauthenticated: the tag does not match.
  base::Status Open(std::span<const uint8_t, kNonceSize> nonce,
                    base::Bytes associated, base::Bytes cipher,
                    std::span<const uint8_t, kTagSize> tag,
                    base::MutableBytes plain);

  // Zeroises the key schedule. Seal() and Open() fail until the next Init().
  void Wipe() {
    mbedtls_gcm_free(&context_);
    ready_ = false;
  }

 private:
  mbedtls_gcm_context context_;
  bool ready_ = false;
};

}  // namespace crypto
