// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_SUPPRESS_DEPRECATED  // EC_KEY: an engine's keys are nothing
                                     // else.

#include "launch/signing_key.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hosted/files.h"
#include "hosted/openssl/openssl.h"
#include "launch/error.h"
#include "launch/pkcs11_key.h"
#include "launch/reasons.h"
#include "openssl/err.h"
#include "openssl/obj_mac.h"
#include "openssl/pem.h"

namespace launch {
namespace {

using hosted::openssl::BioPtr;
using hosted::openssl::BnPtr;
using hosted::openssl::EcdsaSigPtr;
using hosted::openssl::MdCtxPtr;
using hosted::openssl::PkeyPtr;

constexpr size_t kMaxKeyFile = 64 << 10;
constexpr size_t kMaxDerSignature = 256;  // bytes; P-384's has at most 104

absl::Status Unusable(const std::string& name, std::string_view what) {
  ERR_clear_error();
  return Error(kKeyUnusable, absl::StrCat(name, " ", what));
}

// PEM's callback for a passphrase: notes that one was wanted, and gives none.
int NoPassphrase(char*, int, int, void* wanted) {
  *static_cast<bool*>(wanted) = true;
  return -1;
}

absl::StatusOr<PkeyPtr> LoadFile(const std::string& path, KeyHalf half) {
  auto bytes = hosted::ReadInput(path, kMaxKeyFile);
  if (!bytes.ok()) {
    return Error(kFileUnusable, bytes.status().message(),
                 bytes.status().code());
  }
  const auto open = [&bytes] {
    return BioPtr(
        BIO_new_mem_buf(bytes->data(), static_cast<int>(bytes->size())));
  };
  bool encrypted = false;
  PkeyPtr key(PEM_read_bio_PrivateKey(open().get(), nullptr, &NoPassphrase,
                                      &encrypted));
  if (!key && half == KeyHalf::kPublic) {
    key.reset(
        PEM_read_bio_PUBKEY(open().get(), nullptr, &NoPassphrase, &encrypted));
  }
  OPENSSL_cleanse(bytes->data(), bytes->size());
  ERR_clear_error();
  if (key) return key;
  if (encrypted) {
    return Error(kKeyEncrypted,
                 absl::StrCat(path, ": nobody is asked for its passphrase"));
  }
  return Unusable(path, half == KeyHalf::kPrivate ? "holds no private key"
                                                  : "holds no key");
}

absl::StatusOr<LoadedKey> LoadKey(const KeySource& source, KeyHalf half) {
  if (absl::StartsWith(source.name, "pkcs11:")) {
    return LoadPkcs11Key(source, half);
  }
  auto key = LoadFile(source.name, half);
  if (!key.ok()) return key.status();
  return LoadedKey{nullptr, *std::move(key)};
}

// A number as AMD's structures have it: 72 bytes, little-endian.
bool PutNumber(const BIGNUM* number, base::MutableBytes out) {
  return BN_num_bytes(number) <= static_cast<int>(sev::kP384Bytes) &&
         BN_bn2lebinpad(number, out.data(), static_cast<int>(out.size())) > 0;
}

absl::StatusOr<EcdsaKeyBytes> PublicKeyOf(EVP_PKEY* key,
                                          const std::string& name) {
  const EC_KEY* const ec = EVP_PKEY_get0_EC_KEY(key);
  if (ec == nullptr) return Unusable(name, "is no EC key; want EC P-384");
  const EC_GROUP* const group = EC_KEY_get0_group(ec);
  if (group == nullptr || EC_GROUP_get_curve_name(group) != NID_secp384r1) {
    return Unusable(name, "is on another curve; want EC P-384 (secp384r1)");
  }
  const EC_POINT* const point = EC_KEY_get0_public_key(ec);
  const BnPtr x(BN_new()), y(BN_new());
  EcdsaKeyBytes out{};
  const std::span<uint8_t, sev::kEcdsaKeySize> bytes(out);
  namespace layout = sev::ecdsa_key_layout;
  sev::PutLe<uint32_t, layout::Curve>(sev::kCurveP384, bytes);
  if (point == nullptr || !x || !y ||
      EC_POINT_get_affine_coordinates(group, point, x.get(), y.get(),
                                      nullptr) != 1 ||
      !PutNumber(x.get(), sev::FieldOf<layout::Qx>(bytes)) ||
      !PutNumber(y.get(), sev::FieldOf<layout::Qy>(bytes))) {
    return Unusable(name, "has no public point");
  }
  return out;
}

}  // namespace

absl::StatusOr<SigningKey> SigningKey::Load(const KeySource& source) {
  auto loaded = LoadKey(source, KeyHalf::kPrivate);
  if (!loaded.ok()) return loaded.status();
  const auto public_key = PublicKeyOf(loaded->key.get(), source.name);
  if (!public_key.ok()) return public_key.status();
  return SigningKey(std::move(loaded->engine), std::move(loaded->key),
                    *public_key);
}

absl::StatusOr<EcdsaSignatureBytes> SigningKey::Sign(
    base::Bytes message) const {
  const MdCtxPtr context(EVP_MD_CTX_new());
  std::array<uint8_t, kMaxDerSignature> der;
  size_t size = der.size();
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha384(), nullptr,
                         key_.get()) != 1 ||
      EVP_DigestSign(context.get(), der.data(), &size, message.data(),
                     message.size()) != 1) {
    return Unusable("the key", "does not sign");
  }
  const uint8_t* at = der.data();
  const EcdsaSigPtr numbers(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  EcdsaSignatureBytes out{};
  const std::span<uint8_t, sev::kEcdsaSignatureSize> bytes(out);
  namespace layout = sev::ecdsa_signature_layout;
  if (!numbers ||
      !PutNumber(ECDSA_SIG_get0_r(numbers.get()),
                 sev::FieldOf<layout::R>(bytes)) ||
      !PutNumber(ECDSA_SIG_get0_s(numbers.get()),
                 sev::FieldOf<layout::S>(bytes))) {
    return Unusable("the key", "gives no signature of ECDSA P-384");
  }
  return out;
}

absl::StatusOr<EcdsaKeyBytes> LoadPublicKey(const KeySource& source) {
  const auto loaded = LoadKey(source, KeyHalf::kPublic);
  if (!loaded.ok()) return loaded.status();
  return PublicKeyOf(loaded->key.get(), source.name);
}

}  // namespace launch
