// SPDX-License-Identifier: Apache-2.0
#include "psp/openssl_verify.h"

#include <memory>

#include "hosted/openssl/openssl.h"
#include "openssl/bn.h"
#include "openssl/err.h"
#include "openssl/x509_vfy.h"

namespace psp {
namespace {

using hosted::openssl::CrlPtr;
using hosted::openssl::Deleter;
using hosted::openssl::EcdsaSigPtr;
using hosted::openssl::MdCtxPtr;
using hosted::openssl::X509Ptr;

using StorePtr = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreCtxPtr =
    std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;

BIGNUM* NumberFrom(base::Bytes little_endian) {
  return BN_lebin2bn(little_endian.data(),
                     static_cast<int>(little_endian.size()), nullptr);
}

}  // namespace

X509Ptr DecodeCertificate(base::Bytes der) {
  const uint8_t* in = der.data();
  X509Ptr certificate(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
  ERR_clear_error();
  if (in != der.data() + der.size()) return nullptr;
  return certificate;
}

std::string VerifyChainByOpenssl(const ChainToVerify& chain) {
  const X509Ptr leaf = DecodeCertificate(chain.leaf);
  const X509Ptr intermediate = DecodeCertificate(chain.intermediate);
  const X509Ptr root = DecodeCertificate(chain.root);
  const StorePtr store(X509_STORE_new());
  const StoreCtxPtr context(X509_STORE_CTX_new());
  if (!leaf || !intermediate || !root || !store || !context) {
    return "not a certificate";
  }
  X509_STORE_add_cert(store.get(), root.get());
  if (!chain.crl.empty()) {
    const uint8_t* in = chain.crl.data();
    const CrlPtr crl(
        d2i_X509_CRL(nullptr, &in, static_cast<long>(chain.crl.size())));
    if (!crl) return "not a CRL";
    X509_STORE_add_crl(store.get(), crl.get());
  }
  STACK_OF(X509)* between = sk_X509_new_null();
  sk_X509_push(between, intermediate.get());
  // With a CRL the intermediate is the one to look at: no CRL lists leaves.
  X509* const subject = chain.crl.empty() ? leaf.get() : intermediate.get();
  X509_STORE_CTX_init(context.get(), store.get(), subject, between);
  X509_VERIFY_PARAM* const parameters =
      X509_STORE_CTX_get0_param(context.get());
  if (chain.at != 0) X509_VERIFY_PARAM_set_time(parameters, chain.at);
  if (!chain.crl.empty()) {
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_CRL_CHECK);
  }
  X509_verify_cert(context.get());
  std::string result =
      X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
  sk_X509_free(between);
  ERR_clear_error();
  return result;
}

bool ReportSignatureVerifies(const sev::UnverifiedReport& report,
                             base::Bytes leaf) {
  const X509Ptr certificate = DecodeCertificate(leaf);
  const EcdsaSigPtr signature(ECDSA_SIG_new());
  const MdCtxPtr verifier(EVP_MD_CTX_new());
  if (!certificate || !signature || !verifier) return false;
  ECDSA_SIG_set0(signature.get(), NumberFrom(report.signature_r()),
                 NumberFrom(report.signature_s()));
  uint8_t* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  const bool good =
      size > 0 &&
      EVP_DigestVerifyInit(verifier.get(), nullptr, EVP_sha384(), nullptr,
                           X509_get0_pubkey(certificate.get())) == 1 &&
      EVP_DigestVerify(verifier.get(), der, static_cast<size_t>(size),
                       report.signed_bytes().data(),
                       report.signed_bytes().size()) == 1;
  OPENSSL_free(der);
  ERR_clear_error();
  return good;
}

}  // namespace psp
