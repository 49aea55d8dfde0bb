// SPDX-License-Identifier: Apache-2.0
#include "launch/id_block.h"

#include <algorithm>
#include <array>
#include <vector>

#include "hosted/openssl/openssl.h"
#include "openssl/bn.h"
#include "openssl/core_names.h"
#include "openssl/ec.h"
#include "openssl/err.h"
#include "openssl/evp.h"
#include "openssl/params.h"
#include "openssl/sha.h"

namespace launch {
namespace {

using hosted::openssl::BnPtr;
using hosted::openssl::EcdsaSigPtr;
using hosted::openssl::MdCtxPtr;
using hosted::openssl::PkeyCtxPtr;
using hosted::openssl::PkeyPtr;

// Null: not a point of the curve.
PkeyPtr KeyFrom(const sev::P384Point& point) {
  std::array<uint8_t, 1 + 2 * sev::kP384Bytes> encoded{};
  encoded[0] = 4;  // uncompressed, big-endian
  std::ranges::reverse_copy(point.x, encoded.begin() + 1);
  std::ranges::reverse_copy(point.y, encoded.begin() + 1 + sev::kP384Bytes);
  char group[] = "secp384r1";
  const std::array<OSSL_PARAM, 3> parameters = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded.data(),
                                        encoded.size()),
      OSSL_PARAM_construct_end()};
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                        const_cast<OSSL_PARAM*>(parameters.data())) != 1) {
    return nullptr;
  }
  return PkeyPtr(key);
}

// DER, as OpenSSL wants it; empty: out of memory.
std::vector<uint8_t> DerFrom(const sev::P384Signature& signature) {
  const EcdsaSigPtr made(ECDSA_SIG_new());
  BnPtr r(BN_lebin2bn(signature.r.data(), sev::kP384Bytes, nullptr));
  BnPtr s(BN_lebin2bn(signature.s.data(), sev::kP384Bytes, nullptr));
  if (!made || !r || !s) return {};
  ECDSA_SIG_set0(made.get(), r.release(), s.release());
  const int size = i2d_ECDSA_SIG(made.get(), nullptr);
  if (size <= 0) return {};
  std::vector<uint8_t> der(static_cast<size_t>(size));
  uint8_t* at = der.data();
  i2d_ECDSA_SIG(made.get(), &at);
  return der;
}

}  // namespace

sev::LaunchDigest IdKeyDigest(sev::EcdsaKeyView key) {
  sev::LaunchDigest digest;
  SHA384(key.data(), key.size(), digest.data());
  return digest;
}

bool IdSignatureVerifies(sev::EcdsaKeyView key,
                         sev::EcdsaSignatureView signature,
                         base::Bytes message) {
  const auto point = sev::ParseEcdsaKey(key);
  const auto numbers = sev::ParseEcdsaSignature(signature);
  if (!point.ok() || !numbers.ok()) return false;
  const PkeyPtr pkey = KeyFrom(*point);
  const std::vector<uint8_t> der = DerFrom(*numbers);
  const MdCtxPtr context(EVP_MD_CTX_new());
  // OpenSSL refuses R and S outside of 1 to n - 1.
  const bool good = pkey && !der.empty() && context &&
                    EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha384(),
                                         nullptr, pkey.get()) == 1 &&
                    EVP_DigestVerify(context.get(), der.data(), der.size(),
                                     message.data(), message.size()) == 1;
  ERR_clear_error();
  return good;
}

IdAuthVerdict VerifyIdAuth(base::Bytes id_block, const sev::IdAuth& auth) {
  IdAuthVerdict verdict;
  verdict.algorithms = auth.id_key_algorithm == sev::kIdKeyEcdsaP384Sha384 &&
                       (!auth.has_author_key || auth.author_key_algorithm ==
                                                    sev::kIdKeyEcdsaP384Sha384);
  verdict.id_block_signature =
      IdSignatureVerifies(auth.id_key, auth.id_block_signature, id_block);
  if (auth.has_author_key) {
    verdict.id_key_signature = IdSignatureVerifies(
        auth.author_key, auth.id_key_signature, auth.id_key);
  }
  return verdict;
}

}  // namespace launch
