// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <string>

#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr int kIssuerKeyBits = 4096;
constexpr long kSaltBytes = 48;
constexpr long kTrailerField = 1;
constexpr uint8_t kDerSequence = 0x30;
constexpr size_t kMaxSize = 16 * 1024;  // AMD's have some 1.6 KiB.
constexpr int kMaxName = 64;

using PssParamsPtr =
    std::unique_ptr<RSA_PSS_PARAMS, ossl::Deleter<RSA_PSS_PARAMS_free>>;
using BasicConstraintsPtr =
    std::unique_ptr<BASIC_CONSTRAINTS, ossl::Deleter<BASIC_CONSTRAINTS_free>>;
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

// Of RSASSA-PSS parameters; a hash left out means SHA-1.
int PssHash(const X509_ALGOR* algorithm) {
  const PssParamsPtr pss(
      Unpack<RSA_PSS_PARAMS>(algorithm, ASN1_ITEM_rptr(RSA_PSS_PARAMS)));
  if (!pss) return NID_undef;
  return pss->hashAlgorithm == nullptr ? NID_sha1 : NidOf(pss->hashAlgorithm);
}

bool OnlyWhiteSpace(base::Bytes bytes) {
  return std::ranges::all_of(bytes, [](uint8_t c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\0';
  });
}

std::string CommonName(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0) {
    return "";
  }
  const ASN1_STRING* value =
      X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
  const int size = ASN1_STRING_length(value);
  if (size > kMaxName) return "";
  std::string text;
  for (const uint8_t c :
       base::Bytes(ASN1_STRING_get0_data(value), static_cast<size_t>(size))) {
    if (c < 0x20 || c > 0x7E) return "";  // It goes to logs.
    text.push_back(static_cast<char>(c));
  }
  return text;
}

bool IsPkcs1(int nid) {
  int key_nid = NID_undef;
  return OBJ_find_sigid_algs(nid, nullptr, &key_nid) == 1 &&
         key_nid == NID_rsaEncryption;
}

bool IsPssSha384(const X509_ALGOR* algorithm) {
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

std::vector<uint8_t> DerOf(base::Bytes bytes, std::string_view label) {
  if (bytes.empty() || bytes[0] == kDerSequence) {
    return {bytes.begin(), bytes.end()};
  }
  const ossl::BioPtr bio(
      BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
  char* name = nullptr;
  char* header = nullptr;
  uint8_t* data = nullptr;
  long size = 0;
  std::vector<uint8_t> der;
  if (bio && PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
    // A second block, or text after the first, is not skipped.
    const bool alone =
        OnlyWhiteSpace(bytes.last(static_cast<size_t>(BIO_pending(bio.get()))));
    if (alone && name == label && header[0] == '\0') {
      der.assign(data, data + size);
    }
  }
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(data);
  ERR_clear_error();
  return der;
}

std::optional<Certificate> Certificate::Parse(base::Bytes bytes) {
  std::vector<uint8_t> from_pem;
  base::Bytes der = bytes;
  if (!bytes.empty() && bytes[0] != kDerSequence) {
    from_pem = DerOf(bytes, "CERTIFICATE");
    der = from_pem;
  }
  if (der.empty() || der.size() > kMaxSize) return std::nullopt;
  const uint8_t* at = der.data();
  Certificate certificate;
  certificate.x509_.reset(
      d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!certificate.x509_ || at != der.data() + der.size()) return std::nullopt;
  certificate.sha256_ = ossl::Sha256::Of(der);
  return certificate;
}

Certificate Certificate::Share() const {
  Certificate shared;
  X509_up_ref(x509_.get());
  shared.x509_.reset(x509_.get());
  shared.sha256_ = sha256_;
  return shared;
}

std::string Certificate::SubjectName() const {
  return CommonName(X509_get_subject_name(x509_.get()));
}

std::string Certificate::IssuerName() const {
  return CommonName(X509_get_issuer_name(x509_.get()));
}

bool Certificate::ClaimsToBeCa() const {
  int at = -1;  // -1: absent; -2: there twice.
  const BasicConstraintsPtr constraints(static_cast<BASIC_CONSTRAINTS*>(
      X509_get_ext_d2i(x509_.get(), NID_basic_constraints, &at, nullptr)));
  ERR_clear_error();
  if (constraints) return constraints->ca != 0;
  return at != -1;
}

std::optional<time_t> Certificate::not_before() const {
  return ossl::TimeOf(X509_get0_notBefore(x509_.get()));
}

std::optional<time_t> Certificate::not_after() const {
  return ossl::TimeOf(X509_get0_notAfter(x509_.get()));
}

std::optional<base::Reason> SignatureAlgorithmFault(
    const X509_ALGOR* algorithm) {
  if (algorithm == nullptr) return kCertificateAlgorithm;
  const int nid = NidOf(algorithm);
  if (nid == NID_rsassaPss) {
    if (IsPssSha384(algorithm)) return std::nullopt;
    return PssHash(algorithm) == NID_sha1 ? kCertificateSha1
                                          : kCertificateAlgorithm;
  }
  if (nid == NID_sha1WithRSAEncryption) return kCertificateSha1;
  if (IsPkcs1(nid)) return kCertificatePkcs1;
  return kCertificateAlgorithm;
}

void CheckSignedBy(const Certificate& certificate, const Certificate& issuer,
                   std::string_view name, Findings& findings) {
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(nullptr, &algorithm, certificate.x509());
  if (const auto fault = SignatureAlgorithmFault(algorithm)) {
    findings.push_back({*fault, std::string(name)});
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
