// SPDX-License-Identifier: Apache-2.0
#include "verifier/testing/resign.h"

#include <cstdlib>
#include <memory>
#include <span>

#include "verifier/ossl/ossl.h"

namespace verifier::testing {
namespace {

ossl::MdCtxPtr Begin(EVP_PKEY* key, const SignAs& as) {
  ossl::MdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // The context owns it.
  if (EVP_DigestSignInit(context.get(), &parameters, as.md, nullptr, key) !=
      1) {
    abort();
  }
  if (as.padding == RSA_PKCS1_PSS_PADDING &&
      (EVP_PKEY_CTX_set_rsa_padding(parameters, as.padding) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, as.salt) != 1 ||
       EVP_PKEY_CTX_set_rsa_mgf1_md(
           parameters, as.mask != nullptr ? as.mask : as.md) != 1)) {
    abort();
  }
  return context;
}

template <auto kDecode, auto kSign, auto kEncode, auto kFree, typename T>
std::vector<uint8_t> Resign(base::Bytes der, EVP_PKEY* key,
                            const std::function<void(T*)>& change,
                            const SignAs& as) {
  const uint8_t* at = der.data();
  const std::unique_ptr<T, ossl::Deleter<kFree>> object(
      kDecode(nullptr, &at, static_cast<long>(der.size())));
  if (!object) abort();
  change(object.get());
  const ossl::MdCtxPtr context = Begin(key, as);
  if (kSign(object.get(), context.get()) <= 0) abort();
  std::vector<uint8_t> out(static_cast<size_t>(kEncode(object.get(), nullptr)));
  uint8_t* end = out.data();
  kEncode(object.get(), &end);
  return out;
}

}  // namespace

std::vector<uint8_t> ResignCertificate(base::Bytes der, EVP_PKEY* key,
                                       const std::function<void(X509*)>& change,
                                       const SignAs& as) {
  return Resign<d2i_X509, X509_sign_ctx, i2d_X509, X509_free>(der, key, change,
                                                              as);
}

std::vector<uint8_t> ResignCrl(base::Bytes der, EVP_PKEY* key,
                               const std::function<void(X509_CRL*)>& change,
                               const SignAs& as) {
  return Resign<d2i_X509_CRL, X509_CRL_sign_ctx, i2d_X509_CRL, X509_CRL_free>(
      der, key, change, as);
}

std::vector<uint8_t> CrlWithoutNextUpdate(base::Bytes der, EVP_PKEY* key) {
  // Two UTCTimes side by side, behind two SEQUENCEs with two bytes of length.
  constexpr size_t kTime = 15;
  constexpr size_t kLengths[] = {2, 6};
  std::vector<uint8_t> cut(der.begin(), der.end());
  size_t at = 8;
  while (at + 2 * kTime < cut.size() &&
         !(cut[at] == V_ASN1_UTCTIME && cut[at + kTime] == V_ASN1_UTCTIME &&
           cut[at + 1] == kTime - 2 && cut[at + kTime + 1] == kTime - 2)) {
    ++at;
  }
  const auto next = cut.begin() + static_cast<ptrdiff_t>(at + kTime);
  cut.erase(next, next + kTime);
  for (const size_t place : kLengths) {
    const auto field = std::span(cut).subspan(place).first<2>();
    base::StoreBe<uint16_t>(
        static_cast<uint16_t>(base::LoadBe<uint16_t>(field) - kTime), field);
  }
  return ResignCrl(cut, key, [](X509_CRL*) {});
}

}  // namespace verifier::testing
