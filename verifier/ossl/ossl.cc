// SPDX-License-Identifier: Apache-2.0
#include "verifier/ossl/ossl.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>

namespace verifier::ossl {
namespace {

// For calls that fail only without memory or with a broken OpenSSL.
void Must(bool ok, const char* what) {
  if (ok) return;
  fprintf(stderr, "fatal: OpenSSL: %s: %s\n", what, TakeError().c_str());
  abort();
}

template <size_t kSize>
const EVP_MD* Algorithm() {
  if constexpr (kSize == 32) return EVP_sha256();
  if constexpr (kSize == 48) return EVP_sha384();
  if constexpr (kSize == 64) return EVP_sha512();
}

constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;

}  // namespace

template <size_t kSize>
Hash<kSize>::Hash() : context_(EVP_MD_CTX_new()) {
  Must(context_ &&
           EVP_DigestInit_ex(context_.get(), Algorithm<kSize>(), nullptr) == 1,
       "digest");
}

template <size_t kSize>
Hash<kSize>& Hash<kSize>::Update(base::Bytes bytes) {
  Must(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1,
       "digest");
  return *this;
}

template <size_t kSize>
std::array<uint8_t, kSize> Hash<kSize>::Finish() {
  std::array<uint8_t, kSize> out;
  unsigned size = 0;
  Must(EVP_DigestFinal_ex(context_.get(), out.data(), &size) == 1 &&
           size == kSize,
       "digest");
  return out;
}

template class Hash<32>;
template class Hash<48>;
template class Hash<64>;

Digest256 HmacSha256(base::Bytes key, base::Bytes message) {
  Digest256 out;
  unsigned size = 0;
  Must(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
            message.data(), message.size(), out.data(), &size) != nullptr &&
           size == out.size(),
       "HMAC");
  return out;
}

bool EqualConstantTime(base::Bytes a, base::Bytes b) {
  return a.size() == b.size() &&
         CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Digest256 HkdfSha256(base::Bytes key, std::string_view info) {
  Digest256 out;
  EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_KDF_CTX* context = kdf == nullptr ? nullptr : EVP_KDF_CTX_new(kdf);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(
          OSSL_KDF_PARAM_KEY, const_cast<uint8_t*>(key.data()), key.size()),
      OSSL_PARAM_construct_octet_string(
          OSSL_KDF_PARAM_INFO, const_cast<char*>(info.data()), info.size()),
      OSSL_PARAM_construct_end()};
  Must(context != nullptr &&
           EVP_KDF_derive(context, out.data(), out.size(), parameters) == 1,
       "HKDF");
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return out;
}

void RandomBytes(base::MutableBytes out) {
  Must(RAND_bytes(out.data(), static_cast<int>(out.size())) == 1, "RAND_bytes");
}

std::vector<uint8_t> Aes256GcmSeal(std::span<const uint8_t, 32> key,
                                   base::Bytes aad, base::Bytes plain) {
  std::vector<uint8_t> out(kGcmOverhead + plain.size());
  RandomBytes(std::span(out).first(kNonceSize));
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  int size = 0;
  int tail = 0;
  Must(context &&
           EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr,
                              key.data(), out.data()) == 1 &&
           EVP_EncryptUpdate(context.get(), nullptr, &size, aad.data(),
                             static_cast<int>(aad.size())) == 1 &&
           EVP_EncryptUpdate(context.get(), out.data() + kNonceSize, &size,
                             plain.data(),
                             static_cast<int>(plain.size())) == 1 &&
           EVP_EncryptFinal_ex(context.get(), out.data() + kNonceSize + size,
                               &tail) == 1 &&
           EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagSize,
                               out.data() + kNonceSize + plain.size()) == 1,
       "AES-256-GCM");
  return out;
}

bool Aes256GcmOpen(std::span<const uint8_t, 32> key, base::Bytes aad,
                   base::Bytes sealed, base::MutableBytes plain) {
  if (sealed.size() != plain.size() + kGcmOverhead) return false;
  const CipherCtxPtr context(EVP_CIPHER_CTX_new());
  const base::Bytes body = sealed.subspan(kNonceSize, plain.size());
  std::array<uint8_t, kTagSize> tag;
  memcpy(tag.data(), sealed.data() + sealed.size() - kTagSize, kTagSize);
  int size = 0;
  int tail = 0;
  const bool ok =
      context &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(),
                         sealed.data()) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, aad.data(),
                        static_cast<int>(aad.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), plain.data(), &size, body.data(),
                        static_cast<int>(body.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagSize,
                          tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), plain.data() + size, &tail) == 1;
  if (!ok) {
    OPENSSL_cleanse(plain.data(), plain.size());
    ERR_clear_error();
  }
  return ok;
}

std::optional<time_t> TimeOf(const ASN1_TIME* time) {
  tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  return timegm(&parts);
}

}  // namespace verifier::ossl
