// SPDX-License-Identifier: Apache-2.0
//
// The verifier's narrow face of OpenSSL 3: hashes, HMAC, HKDF, AES-256-GCM,
// random bytes; the owning handles are those of hosted/openssl. Nothing here
// may fail quietly: what cannot fail short of exhausted memory aborts, what may
// be refused returns a status.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <cstdint>
#include <ctime>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "hosted/openssl/openssl.h"
#include "hosted/openssl/ssl.h"
#include "hosted/text.h"

namespace verifier::ossl {

using base::AsBytes;
using hosted::FromHex;
using hosted::Hex;
using hosted::openssl::BioPtr;
using hosted::openssl::CipherCtxPtr;
using hosted::openssl::Deleter;
using hosted::openssl::MdCtxPtr;
using hosted::openssl::PkeyCtxPtr;
using hosted::openssl::PkeyPtr;
using hosted::openssl::SslCtxPtr;
using hosted::openssl::SslPtr;
using hosted::openssl::TakeError;
using hosted::openssl::X509Ptr;

using Digest256 = std::array<uint8_t, 32>;
using Digest384 = std::array<uint8_t, 48>;
using Digest512 = std::array<uint8_t, 64>;

// Incremental. `Finish` once.
template <size_t kSize>
class Hash {
 public:
  Hash();
  Hash& Update(base::Bytes bytes);
  std::array<uint8_t, kSize> Finish();
  static std::array<uint8_t, kSize> Of(base::Bytes bytes) {
    return Hash().Update(bytes).Finish();
  }

 private:
  MdCtxPtr context_;
};
using Sha256 = Hash<32>;
using Sha384 = Hash<48>;
using Sha512 = Hash<64>;

Digest256 HmacSha256(base::Bytes key, base::Bytes message);
bool EqualConstantTime(base::Bytes a, base::Bytes b);

// HKDF-SHA-256 without salt, 32 bytes out.
Digest256 HkdfSha256(base::Bytes key, std::string_view info);

// Aborts if the system has no randomness: nothing here can go on without.
void RandomBytes(base::MutableBytes out);

// nonce (12, random) || ciphertext || tag (16).
std::vector<uint8_t> Aes256GcmSeal(std::span<const uint8_t, 32> key,
                                   base::Bytes aad, base::Bytes plain);
inline constexpr size_t kGcmOverhead = 12 + 16;

// Writes sealed.size() - kGcmOverhead bytes to `plain`. false, and `plain`
// zeroed: not authentic, or `plain` has another size.
bool Aes256GcmOpen(std::span<const uint8_t, 32> key, base::Bytes aad,
                   base::Bytes sealed, base::MutableBytes plain);

// Seconds since 1970, UTC; empty: null or not a time.
std::optional<time_t> TimeOf(const ASN1_TIME* time);

}  // namespace verifier::ossl
