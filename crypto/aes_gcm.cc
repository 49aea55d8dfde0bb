// SPDX-License-Identifier: Apache-2.0
#include "crypto/aes_gcm.h"

#include "base/secret_buffer.h"
#include "crypto/reasons.h"

namespace crypto {

using base::Code;
using base::Status;

Status Aes256Gcm::Init(std::span<const uint8_t, kKeySize> key) {
  Wipe();
  mbedtls_gcm_init(&context_);
  if (mbedtls_gcm_setkey(&context_, MBEDTLS_CIPHER_ID_AES, key.data(),
                         kKeySize * 8) != 0) {
    Wipe();
    return Status(Code::kResourceExhausted, kTlsOutOfMemory);
  }
  ready_ = true;
  return {};
}

Status Aes256Gcm::Seal(std::span<const uint8_t, kNonceSize> nonce,
                       base::Bytes associated, base::Bytes plain,
                       base::MutableBytes cipher,
                       std::span<uint8_t, kTagSize> tag) {
  if (!ready_) return Status(Code::kFailedPrecondition, kAeadKeyMissing);
  if (cipher.size() != plain.size()) {
    return Status(Code::kInvalidArgument, base::kBufferFull);
  }
  if (mbedtls_gcm_crypt_and_tag(&context_, MBEDTLS_GCM_ENCRYPT, plain.size(),
                                nonce.data(), nonce.size(), associated.data(),
                                associated.size(), plain.data(), cipher.data(),
                                tag.size(), tag.data()) != 0) {
    base::SecureZero(cipher.data(), cipher.size());
    return Status(Code::kInvalidArgument, base::kLengthOverLimit);
  }
  return {};
}

Status Aes256Gcm::Open(std::span<const uint8_t, kNonceSize> nonce,
                       base::Bytes associated, base::Bytes cipher,
                       std::span<const uint8_t, kTagSize> tag,
                       base::MutableBytes plain) {
  if (!ready_) return Status(Code::kFailedPrecondition, kAeadKeyMissing);
  if (cipher.size() != plain.size()) {
    return Status(Code::kInvalidArgument, base::kBufferFull);
  }
  if (mbedtls_gcm_auth_decrypt(&context_, cipher.size(), nonce.data(),
                               nonce.size(), associated.data(),
                               associated.size(), tag.data(), tag.size(),
                               cipher.data(), plain.data()) != 0) {
    base::SecureZero(plain.data(), plain.size());
    return Status(Code::kUnauthenticated, kAeadTagMismatch);
  }
  return {};
}

}  // namespace crypto
