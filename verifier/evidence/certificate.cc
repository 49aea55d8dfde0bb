// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string>

#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr int kIssuerKeyBits = 4096;
constexpr long kSaltBytes = 48;
constexpr long kTrailerField = 1;

using PssParamsPtr =
    std::unique_ptr<RSA_PSS_PARAMS, ossl::Deleter<RSA_PSS_PARAMS_free>>;
using AlgorithmPtr =
    std::unique_ptr<X509_ALGOR, ossl::Deleter<X509_ALGOR_free>>;

int NidOf(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  return OBJ_obj2nid(object);
}

// The parameter of `algorithm`, a SEQUENCE, unpacked; null: it is not one.
template <typename T>
T* Unpack(const X509_ALGOR* algorithm, const ASN1_ITEM* item) {
  int type = V_ASN1_UNDEF;
  const void* value = nullptr;
  X509_ALGOR_get0(nullptr, &type, &value, algorithm);
  if (type != V_ASN1_SEQUENCE) return nullptr;
  return static_cast<T*>(
      ASN1_item_unpack(static_cast<const ASN1_STRING*>(value), item));
}

bool IsPssSha384(const X509_ALGOR* algorithm) {
  if (algorithm == nullptr || NidOf(algorithm) != NID_rsassaPss) return false;
  const PssParamsPtr pss(
      Unpack<RSA_PSS_PARAMS>(algorithm, ASN1_ITEM_rptr(RSA_PSS_PARAMS)));
  // A field left out means SHA-1 or a salt of 20: not ours either way.
  if (!pss || pss->hashAlgorithm == nullptr ||
      pss->maskGenAlgorithm == nullptr || pss->saltLength == nullptr) {
    return false;
  }
  if (NidOf(pss->hashAlgorithm) != NID_sha384 ||
      NidOf(pss->maskGenAlgorithm) != NID_mgf1 ||
      ASN1_INTEGER_get(pss->saltLength) != kSaltBytes) {
    return false;
  }
  // AMD's older certificates write this default out, which strict DER forbids.
  if (pss->trailerField != nullptr &&
      ASN1_INTEGER_get(pss->trailerField) != kTrailerField) {
    return false;
  }
  const AlgorithmPtr mask(
      Unpack<X509_ALGOR>(pss->maskGenAlgorithm, ASN1_ITEM_rptr(X509_ALGOR)));
  return mask && NidOf(mask.get()) == NID_sha384;
}

}  // namespace

std::optional<Certificate> Certificate::Parse(base::Bytes der) {
  const uint8_t* at = der.data();
  Certificate certificate;
  certificate.x509_.reset(
      d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!certificate.x509_ || at != der.data() + der.size()) return std::nullopt;
  certificate.sha256_ = ossl::Sha256::Of(der);
  return certificate;
}

void CheckSignedBy(const Certificate& certificate, const Certificate& issuer,
                   std::string_view name, Findings& findings) {
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(nullptr, &algorithm, certificate.x509());
  if (!IsPssSha384(algorithm)) {
    findings.push_back({kCertificateAlgorithm, std::string(name)});
    return;
  }
  if (X509_NAME_cmp(X509_get_issuer_name(certificate.x509()),
                    X509_get_subject_name(issuer.x509())) != 0) {
    findings.push_back({kCertificateIssuer, std::string(name)});
  }
  EVP_PKEY* key = X509_get0_pubkey(issuer.x509());
  if (key == nullptr || EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA ||
      EVP_PKEY_get_bits(key) != kIssuerKeyBits) {
    findings.push_back({kCertificateIssuerKey, std::string(name)});
    return;
  }
  if (X509_verify(certificate.x509(), key) != 1) {
    findings.push_back({kCertificateSignature, std::string(name)});
  }
  ERR_clear_error();
}

void CheckValidity(const Certificate& certificate, time_t now,
                   std::string_view name, Findings& findings) {
  // X509_cmp_time: negative, at or before `now`; positive, after; 0, malformed.
  const X509* x509 = certificate.x509();
  if (X509_cmp_time(X509_get0_notBefore(x509), &now) >= 0) {
    findings.push_back({kCertificateNotYetValid, std::string(name)});
  }
  if (X509_cmp_time(X509_get0_notAfter(x509), &now) <= 0) {
    findings.push_back({kCertificateExpired, std::string(name)});
  }
}

void CheckIsCa(const Certificate& certificate, std::string_view name,
               Findings& findings) {
  X509* x509 = certificate.x509();
  const bool is_ca = (X509_get_extension_flags(x509) & EXFLAG_CA) != 0 &&
                     (X509_get_extension_flags(x509) & EXFLAG_KUSAGE) != 0 &&
                     (X509_get_key_usage(x509) & KU_KEY_CERT_SIGN) != 0;
  ERR_clear_error();
  if (!is_ca) findings.push_back({kCertificateNotCa, std::string(name)});
}

}  // namespace verifier
