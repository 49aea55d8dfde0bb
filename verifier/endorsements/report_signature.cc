// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/report_signature.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/bytes.h"
#include "verifier/ossl/ossl.h"

namespace verifier {
namespace {

using SignaturePtr = std::unique_ptr<ECDSA_SIG, ossl::Deleter<ECDSA_SIG_free>>;

// SEC 2, 2.5.1: the order of secp384r1, little-endian.
constexpr std::array<uint8_t, 48> kOrder = {
    0x73, 0x29, 0xC5, 0xCC, 0x6A, 0x19, 0xEC, 0xEC, 0x7A, 0xA7, 0xB0, 0x48,
    0xB2, 0x0D, 0x1A, 0x58, 0xDF, 0x2D, 0x37, 0xF4, 0x81, 0x4D, 0x63, 0xC7,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

bool InRange(base::Bytes number) {
  if (!base::AllZero(number.subspan(kOrder.size()))) return false;
  const base::Bytes low = number.first(kOrder.size());
  return !base::AllZero(low) &&
         std::lexicographical_compare(low.rbegin(), low.rend(), kOrder.rbegin(),
                                      kOrder.rend());
}

}  // namespace

bool SignatureInRange(const sev::UnverifiedReport& report) {
  return InRange(report.signature_r()) && InRange(report.signature_s());
}

bool ReportSignatureVerifies(const sev::UnverifiedReport& report,
                             const Certificate& leaf) {
  if (!SignatureInRange(report)) return false;
  const auto r = report.signature_r();
  const auto s = report.signature_s();
  const SignaturePtr signature(ECDSA_SIG_new());
  BIGNUM* r_number = BN_lebin2bn(r.data(), static_cast<int>(r.size()), nullptr);
  BIGNUM* s_number = BN_lebin2bn(s.data(), static_cast<int>(s.size()), nullptr);
  if (!signature || ECDSA_SIG_set0(signature.get(), r_number, s_number) != 1) {
    BN_free(r_number);
    BN_free(s_number);
    return false;
  }
  uint8_t* der = nullptr;
  const int der_size = i2d_ECDSA_SIG(signature.get(), &der);
  if (der_size <= 0) return false;
  const ossl::MdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY* key = leaf.key();
  const auto signed_bytes = report.signed_bytes();
  const bool ok =
      context && key != nullptr && EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
      EVP_PKEY_get_bits(key) == 384 &&
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha384(), nullptr,
                           key) == 1 &&
      EVP_DigestVerify(context.get(), der, static_cast<size_t>(der_size),
                       signed_bytes.data(), signed_bytes.size()) == 1;
  OPENSSL_free(der);
  ERR_clear_error();
  return ok;
}

}  // namespace verifier
