// SPDX-License-Identifier: Apache-2.0
#include "emulator/certificates.h"

#include <time.h>

#include <memory>
#include <span>

#include "openssl/asn1.h"
#include "openssl/objects.h"
#include "openssl/rsa.h"
#include "openssl/x509v3.h"

namespace emulator {
namespace {

constexpr long kDay = 24 * 60 * 60;
constexpr long kRootDays = 25 * 365;
constexpr long kVcekDays = 7 * 365;
constexpr int kPssSaltSize = 48;
// A certificate from a machine whose clock is a little ahead is still valid.
constexpr long kNotBeforeSlack = kDay;

constexpr char kArkName[] = "ARK-Milan";
constexpr char kAskName[] = "SEV-Milan";
constexpr char kVcekName[] = "SEV-VCEK";

using NamePtr = std::unique_ptr<X509_NAME, OpensslDelete<X509_NAME_free>>;
using ExtensionPtr =
    std::unique_ptr<X509_EXTENSION, OpensslDelete<X509_EXTENSION_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, OpensslDelete<ASN1_OBJECT_free>>;
using OctetsPtr =
    std::unique_ptr<ASN1_OCTET_STRING, OpensslDelete<ASN1_OCTET_STRING_free>>;

NamePtr NameOf(const char* common_name) {
  struct Attribute {
    const char* type;
    const char* value;
  };
  const Attribute attributes[] = {
      {"OU", "Engineering"},
      {"C", "US"},
      {"L", "Santa Clara"},
      {"ST", "CA"},
      {"O", "Advanced Micro Devices"},
      {"CN", common_name},
      {"description", kEmulatedMark},
  };
  NamePtr name(X509_NAME_new());
  for (const Attribute& attribute : attributes) {
    // EDGE: OpenSSL takes text as unsigned char.
    if (X509_NAME_add_entry_by_txt(
            name.get(), attribute.type, MBSTRING_UTF8,
            reinterpret_cast<const unsigned char*>(attribute.value), -1, -1,
            0) != 1) {
      return nullptr;
    }
  }
  return name;
}

// Fills in all that is common to the three kinds but extensions and signature.
absl::StatusOr<X509Ptr> Begin(const char* subject, const char* issuer,
                              EVP_PKEY* key, long serial, long days) {
  X509Ptr certificate(X509_new());
  const NamePtr subject_name = NameOf(subject);
  const NamePtr issuer_name = NameOf(issuer);
  if (certificate == nullptr || subject_name == nullptr ||
      issuer_name == nullptr ||
      X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial) != 1 ||
      X509_set_subject_name(certificate.get(), subject_name.get()) != 1 ||
      X509_set_issuer_name(certificate.get(), issuer_name.get()) != 1 ||
      X509_gmtime_adj(X509_getm_notBefore(certificate.get()),
                      -kNotBeforeSlack) == nullptr ||
      X509_gmtime_adj(X509_getm_notAfter(certificate.get()), days * kDay) ==
          nullptr ||
      X509_set_pubkey(certificate.get(), key) != 1) {
    return OpensslError("certificate");
  }
  return certificate;
}

// RFC 5280 extensions of the two authorities.
absl::Status AddCaExtensions(X509* certificate, X509* issuer,
                             const char* basic_constraints) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  struct Text {
    int nid;
    const char* value;
  };
  const Text texts[] = {
      {NID_subject_key_identifier, "hash"},
      {NID_authority_key_identifier, "keyid:always"},
      {NID_basic_constraints, basic_constraints},
      {NID_key_usage, "critical,keyCertSign,cRLSign"},
  };
  for (const Text& text : texts) {
    const ExtensionPtr extension(
        X509V3_EXT_conf_nid(nullptr, &context, text.nid, text.value));
    if (extension == nullptr ||
        X509_add_ext(certificate, extension.get(), -1) != 1) {
      return OpensslError("CA extension");
    }
  }
  return absl::OkStatus();
}

// `value` stands in the extension's OCTET STRING as it is.
absl::Status AddAmdExtension(X509* certificate, const std::string& arc,
                             std::span<const uint8_t> value) {
  const ObjectPtr object(
      OBJ_txt2obj(absl::StrCat("1.3.6.1.4.1.3704.1.", arc).c_str(), 1));
  const OctetsPtr octets(ASN1_OCTET_STRING_new());
  if (object == nullptr || octets == nullptr ||
      ASN1_OCTET_STRING_set(octets.get(), value.data(),
                            static_cast<int>(value.size())) != 1) {
    return OpensslError("AMD extension");
  }
  const ExtensionPtr extension(X509_EXTENSION_create_by_OBJ(
      nullptr, object.get(), /*crit=*/0, octets.get()));
  if (extension == nullptr ||
      X509_add_ext(certificate, extension.get(), -1) != 1) {
    return OpensslError("AMD extension");
  }
  return absl::OkStatus();
}

// DER INTEGER: from 0x80 on it takes a leading zero byte.
Der DerInteger(uint8_t value) {
  if (value >= 0x80) return {0x02, 0x02, 0x00, value};
  return {0x02, 0x01, value};
}

Der DerIa5String(const std::string& text) {
  Der der = {0x16, static_cast<uint8_t>(text.size())};
  der.insert(der.end(), text.begin(), text.end());
  return der;
}

absl::StatusOr<Der> Sign(X509* certificate, EVP_PKEY* key) {
  const EvpMdCtx context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // Owned by `context`.
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), &parameters, EVP_sha384(), nullptr,
                         key) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
      EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, kPssSaltSize) != 1 ||
      EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, EVP_sha384()) != 1 ||
      X509_sign_ctx(certificate, context.get()) <= 0) {
    return OpensslError("signing a certificate");
  }
  const int size = i2d_X509(certificate, nullptr);
  if (size <= 0) return OpensslError("encoding a certificate");
  Der der(static_cast<size_t>(size));
  uint8_t* out = der.data();
  i2d_X509(certificate, &out);
  return der;
}

}  // namespace

absl::StatusOr<Der> MakeArkCertificate(EVP_PKEY* ark) {
  auto certificate = Begin(kArkName, kArkName, ark, 0x10000, kRootDays);
  if (!certificate.ok()) return certificate.status();
  X509* const x509 = certificate->get();
  const absl::Status status = AddCaExtensions(x509, x509, "critical,CA:TRUE");
  if (!status.ok()) return status;
  return Sign(x509, ark);
}

absl::StatusOr<Der> MakeAskCertificate(EVP_PKEY* ask, EVP_PKEY* ark) {
  auto certificate = Begin(kAskName, kArkName, ask, 0x10001, kRootDays);
  if (!certificate.ok()) return certificate.status();
  // Only its key identifier is read.
  auto issuer = Begin(kArkName, kArkName, ark, 0x10000, kRootDays);
  if (!issuer.ok()) return issuer.status();
  absl::Status status =
      AddCaExtensions(issuer->get(), issuer->get(), "critical,CA:TRUE");
  if (!status.ok()) return status;
  status = AddCaExtensions(certificate->get(), issuer->get(),
                           "critical,CA:TRUE,pathlen:0");
  if (!status.ok()) return status;
  return Sign(certificate->get(), ark);
}

absl::StatusOr<Der> MakeVcekCertificate(EVP_PKEY* vcek, EVP_PKEY* ask,
                                        const VcekClaims& claims) {
  auto certificate = Begin(kVcekName, kAskName, vcek, 0, kVcekDays);
  if (!certificate.ok()) return certificate.status();
  struct Extension {
    const char* arc;
    Der value;
  };
  // In the order of genuine ones.
  const Extension extensions[] = {
      {"1", DerInteger(0)},  // structVersion
      {"2", DerIa5String(claims.product_name)},
      {"3.1", DerInteger(claims.tcb.boot_loader)},
      {"3.2", DerInteger(claims.tcb.tee)},
      {"3.4", DerInteger(0)},
      {"3.5", DerInteger(0)},
      {"3.6", DerInteger(0)},
      {"3.7", DerInteger(0)},
      {"3.3", DerInteger(claims.tcb.snp)},
      {"3.8", DerInteger(claims.tcb.microcode)},
      // hwID: the octets themselves, not an OCTET STRING in one.
      {"4", Der(claims.chip_id.begin(), claims.chip_id.end())},
  };
  for (const Extension& extension : extensions) {
    const absl::Status status =
        AddAmdExtension(certificate->get(), extension.arc, extension.value);
    if (!status.ok()) return status;
  }
  return Sign(certificate->get(), ask);
}

}  // namespace emulator
