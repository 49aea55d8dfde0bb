// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <utility>

#include "verifier/endorsements/certificate_asn1.h"
#include "verifier/endorsements/pem.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr int kIssuerKeyBits = 4096;
constexpr long kSaltBytes = 48;
constexpr long kTrailerField = 1;
constexpr size_t kMaxSize = 16 * 1024;  // AMD's have some 1.6 KiB.
constexpr int kMaxName = 64;
constexpr int kKeyCertSign = 5;  // RFC 5280, 4.2.1.3.
constexpr size_t kP384PointSize = 1 + 2 * 48;
constexpr uint8_t kUncompressed = 4;  // SEC 1, 2.3.3.

using PssParamsPtr =
    std::unique_ptr<RSA_PSS_PARAMS, ossl::Deleter<RSA_PSS_PARAMS_free>>;
using BasicConstraintsPtr =
    std::unique_ptr<BASIC_CONSTRAINTS, ossl::Deleter<BASIC_CONSTRAINTS_free>>;
using BitStringPtr =
    std::unique_ptr<ASN1_BIT_STRING, ossl::Deleter<ASN1_BIT_STRING_free>>;
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

struct SyntaxDeleter {
  void operator()(CertificateSyntax* syntax) const {
    // EDGE: OpenSSL's items handle every structure as ASN1_VALUE.
    ASN1_item_free(reinterpret_cast<ASN1_VALUE*>(syntax),
                   ASN1_ITEM_rptr(CertificateSyntax));
  }
};
using SyntaxPtr = std::unique_ptr<CertificateSyntax, SyntaxDeleter>;

CertificateSyntax* DecodeSyntax(const uint8_t** at, size_t size) {
  // EDGE: as above.
  return reinterpret_cast<CertificateSyntax*>(ASN1_item_d2i(
      nullptr, at, static_cast<long>(size), ASN1_ITEM_rptr(CertificateSyntax)));
}

int EncodeSyntax(const CertificateSyntax* syntax, uint8_t** out) {
  // EDGE: as above.
  return ASN1_item_i2d(reinterpret_cast<const ASN1_VALUE*>(syntax), out,
                       ASN1_ITEM_rptr(CertificateSyntax));
}

bool IsP384(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  int type = V_ASN1_UNDEF;
  const void* parameter = nullptr;
  X509_ALGOR_get0(&object, &type, &parameter, algorithm);
  return OBJ_obj2nid(object) == NID_X9_62_id_ecPublicKey &&
         type == V_ASN1_OBJECT &&
         OBJ_obj2nid(static_cast<const ASN1_OBJECT*>(parameter)) ==
             NID_secp384r1;
}

ossl::PkeyPtr P384KeyFrom(base::Bytes point) {
  static EVP_PKEY* const group = [] {
    char type[] = "EC";
    return EVP_PKEY_Q_keygen(nullptr, nullptr, type, "P-384");
  }();
  ossl::PkeyPtr key(EVP_PKEY_new());
  // Refuses what is not on the curve.
  if (!key || group == nullptr ||
      EVP_PKEY_copy_parameters(key.get(), group) != 1 ||
      EVP_PKEY_set1_encoded_public_key(key.get(), point.data(), point.size()) !=
          1) {
    return nullptr;
  }
  return key;
}

// Null: OpenSSL knows no such key.
ossl::PkeyPtr KeyOf(const SubjectPublicKeyInfo& info) {
  const base::Bytes bits(ASN1_STRING_get0_data(info.key),
                         static_cast<size_t>(ASN1_STRING_length(info.key)));
  // A leaf's, without the search through the decoders.
  if (IsP384(info.algorithm) && bits.size() == kP384PointSize &&
      bits[0] == kUncompressed) {
    return P384KeyFrom(bits);
  }
  uint8_t* der = nullptr;
  // EDGE: OpenSSL's items handle every structure as ASN1_VALUE.
  const int size = ASN1_item_i2d(reinterpret_cast<const ASN1_VALUE*>(&info),
                                 &der, ASN1_ITEM_rptr(SubjectPublicKeyInfo));
  if (size <= 0) return nullptr;
  const uint8_t* at = der;
  ossl::PkeyPtr key(d2i_PUBKEY(nullptr, &at, size));
  OPENSSL_free(der);
  return key;
}

}  // namespace

// Never changed once made: shared by all who hold the certificate.
struct Certificate::Parsed {
  SyntaxPtr syntax;
  ossl::PkeyPtr key;
  ossl::Digest256 sha256{};
};

std::optional<Certificate> Certificate::Parse(base::Bytes bytes) {
  std::vector<uint8_t> from_pem;
  base::Bytes der = bytes;
  if (!bytes.empty() && bytes[0] != kDerSequence) {
    from_pem = DerOf(bytes, "CERTIFICATE");
    der = from_pem;
  }
  if (der.empty() || der.size() > kMaxSize) return std::nullopt;
  const uint8_t* at = der.data();
  SyntaxPtr syntax(DecodeSyntax(&at, der.size()));
  ERR_clear_error();
  if (!syntax || at != der.data() + der.size() ||
      !EncodesAs<EncodeSyntax>(syntax.get(), der)) {
    return std::nullopt;
  }
  auto parsed = std::make_shared<Parsed>();
  parsed->key = KeyOf(*syntax->tbs->key);
  parsed->syntax = std::move(syntax);
  parsed->sha256 = ossl::Sha256::Of(der);
  ERR_clear_error();
  Certificate certificate;
  certificate.parsed_ = std::move(parsed);
  return certificate;
}

const ossl::Digest256& Certificate::sha256() const { return parsed_->sha256; }

std::vector<uint8_t> Certificate::Der() const {
  const CertificateSyntax* syntax = parsed_->syntax.get();
  std::vector<uint8_t> der(static_cast<size_t>(EncodeSyntax(syntax, nullptr)));
  uint8_t* at = der.data();
  EncodeSyntax(syntax, &at);
  return der;
}

EVP_PKEY* Certificate::key() const { return parsed_->key.get(); }

const X509_NAME* Certificate::subject() const {
  return parsed_->syntax->tbs->subject;
}

const X509_NAME* Certificate::issuer() const {
  return parsed_->syntax->tbs->issuer;
}

ASN1_INTEGER* Certificate::serial() const {
  return parsed_->syntax->tbs->serial;
}

const X509_ALGOR* Certificate::signature_algorithm() const {
  return parsed_->syntax->algorithm;
}

const STACK_OF(X509_EXTENSION) * Certificate::extensions() const {
  return parsed_->syntax->tbs->extensions;
}

std::string Certificate::SubjectName() const { return CommonName(subject()); }

std::string Certificate::IssuerName() const { return CommonName(issuer()); }

bool Certificate::NamesAsIssuer(const Certificate& other) const {
  return X509_NAME_cmp(issuer(), other.subject()) == 0;
}

bool Certificate::SignatureVerifies(EVP_PKEY* issuer_key) const {
  const CertificateSyntax& syntax = *parsed_->syntax;
  // RFC 5280, 4.1.1.2: the algorithm is stated twice, once under the signature.
  return X509_ALGOR_cmp(syntax.algorithm, syntax.tbs->algorithm) == 0 &&
         ASN1_item_verify(ASN1_ITEM_rptr(TbsCertificate), syntax.algorithm,
                          syntax.signature, syntax.tbs, issuer_key) == 1;
}

bool Certificate::ClaimsToBeCa() const {
  int at = -1;  // -1: absent; -2: there twice.
  const BasicConstraintsPtr constraints(static_cast<BASIC_CONSTRAINTS*>(
      X509V3_get_d2i(extensions(), NID_basic_constraints, &at, nullptr)));
  ERR_clear_error();
  if (constraints) return constraints->ca != 0;
  return at != -1;
}

bool Certificate::HasIssuerKey() const {
  return key() != nullptr && EVP_PKEY_get_base_id(key()) == EVP_PKEY_RSA &&
         EVP_PKEY_get_bits(key()) == kIssuerKeyBits;
}

bool Certificate::HasUnknownCriticalExtension() const {
  for (int i = 0; i < X509v3_get_ext_count(extensions()); ++i) {
    X509_EXTENSION* extension = X509v3_get_ext(extensions(), i);
    const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(extension));
    if (X509_EXTENSION_get_critical(extension) != 0 &&
        nid != NID_basic_constraints && nid != NID_key_usage) {
      return true;
    }
  }
  return false;
}

std::optional<time_t> Certificate::not_before() const {
  return ossl::TimeOf(parsed_->syntax->tbs->validity->notBefore);
}

std::optional<time_t> Certificate::not_after() const {
  return ossl::TimeOf(parsed_->syntax->tbs->validity->notAfter);
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
  if (const auto fault =
          SignatureAlgorithmFault(certificate.signature_algorithm())) {
    findings.push_back({*fault, std::string(name)});
    return;
  }
  if (!certificate.NamesAsIssuer(issuer)) {
    findings.push_back({kCertificateIssuer, std::string(name)});
  }
  if (!issuer.HasIssuerKey()) {
    findings.push_back({kCertificateIssuerKey, std::string(name)});
    return;
  }
  if (!certificate.SignatureVerifies(issuer.key())) {
    findings.push_back({kCertificateSignature, std::string(name)});
  }
  ERR_clear_error();
}

bool IsSignedBy(const Certificate& certificate, const Certificate& issuer) {
  Findings findings;
  CheckSignedBy(certificate, issuer, "", findings);
  return findings.empty();
}

void CheckValidity(const Certificate& certificate, time_t now,
                   std::string_view name, Findings& findings) {
  const auto from = certificate.not_before();
  const auto until = certificate.not_after();
  if (!from || now < *from) {
    findings.push_back({kCertificateNotYetValid, std::string(name)});
  }
  if (!until || now >= *until) {
    findings.push_back({kCertificateExpired, std::string(name)});
  }
}

void CheckIsCa(const Certificate& certificate, std::string_view name,
               Findings& findings) {
  const auto* extensions = certificate.extensions();
  // Null also if it is there twice.
  const BasicConstraintsPtr constraints(static_cast<BASIC_CONSTRAINTS*>(
      X509V3_get_d2i(extensions, NID_basic_constraints, nullptr, nullptr)));
  const BitStringPtr usage(static_cast<ASN1_BIT_STRING*>(
      X509V3_get_d2i(extensions, NID_key_usage, nullptr, nullptr)));
  ERR_clear_error();
  if (!constraints || constraints->ca == 0 || !usage ||
      ASN1_BIT_STRING_get_bit(usage.get(), kKeyCertSign) != 1) {
    findings.push_back({kCertificateNotCa, std::string(name)});
  }
}

}  // namespace verifier
