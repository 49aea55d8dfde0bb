// SPDX-License-Identifier: Apache-2.0
#include "psp/certificates.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "hosted/openssl/openssl.h"
#include "openssl/asn1.h"
#include "openssl/objects.h"
#include "openssl/rsa.h"
#include "openssl/x509v3.h"

namespace psp {
namespace {

using hosted::openssl::CrlPtr;
using hosted::openssl::Deleter;
using hosted::openssl::Failure;
using hosted::openssl::MdCtxPtr;
using hosted::openssl::X509Ptr;

constexpr long kDay = 24 * 60 * 60;
constexpr long kIntermediateOffset = 1;  // 10001, as genuine serial numbers
constexpr long kAsvkOffset = 0x101;      // 10101
constexpr long kUnusedSerials = 0x20000;

using NamePtr = std::unique_ptr<X509_NAME, Deleter<X509_NAME_free>>;
using ExtensionPtr =
    std::unique_ptr<X509_EXTENSION, Deleter<X509_EXTENSION_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, Deleter<ASN1_OBJECT_free>>;
using OctetsPtr =
    std::unique_ptr<ASN1_OCTET_STRING, Deleter<ASN1_OCTET_STRING_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, Deleter<ASN1_INTEGER_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, Deleter<ASN1_TIME_free>>;
using RevokedPtr = std::unique_ptr<X509_REVOKED, Deleter<X509_REVOKED_free>>;

NamePtr NameOf(const std::string& common_name) {
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
      {"CN", common_name.c_str()},
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

// All that is common to the kinds but extensions and signature.
absl::StatusOr<X509Ptr> Begin(const CertificateSpec& spec) {
  X509Ptr certificate(X509_new());
  const NamePtr subject = NameOf(spec.subject);
  const NamePtr issuer = NameOf(spec.issuer);
  if (certificate == nullptr || subject == nullptr || issuer == nullptr ||
      X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
      ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), spec.serial) !=
          1 ||
      X509_set_subject_name(certificate.get(), subject.get()) != 1 ||
      X509_set_issuer_name(certificate.get(), issuer.get()) != 1 ||
      ASN1_TIME_set(X509_getm_notBefore(certificate.get()),
                    spec.validity.not_before) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(certificate.get()),
                    spec.validity.not_after) == nullptr ||
      X509_set_pubkey(certificate.get(), spec.key) != 1) {
    return Failure("certificate");
  }
  return certificate;
}

ExtensionPtr TextExtension(int nid, const char* value, X509* subject,
                           X509* issuer) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, subject, nullptr, nullptr, 0);
  return ExtensionPtr(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
}

absl::Status AddText(X509* certificate, X509* issuer, int nid,
                     const char* value) {
  const ExtensionPtr extension = TextExtension(nid, value, certificate, issuer);
  if (extension == nullptr ||
      X509_add_ext(certificate, extension.get(), -1) != 1) {
    return Failure("extension");
  }
  return absl::OkStatus();
}

// A stand-in for the issuer's certificate: only its key identifier is read.
absl::StatusOr<X509Ptr> KeyIdentifierOf(EVP_PKEY* key) {
  X509Ptr holder(X509_new());
  if (holder == nullptr || X509_set_version(holder.get(), 2) != 1 ||
      X509_set_pubkey(holder.get(), key) != 1) {
    return Failure("key identifier");
  }
  const absl::Status status =
      AddText(holder.get(), nullptr, NID_subject_key_identifier, "hash");
  if (!status.ok()) return status;
  return holder;
}

// RFC 5280 extensions of the authorities.
absl::Status AddCaExtensions(X509* certificate, const CertificateSpec& spec) {
  const auto issuer = KeyIdentifierOf(spec.signer);
  if (!issuer.ok()) return issuer.status();
  struct Text {
    int nid;
    const char* value;
  };
  const Text texts[] = {
      {NID_subject_key_identifier, "hash"},
      {NID_authority_key_identifier, "keyid:always"},
      {NID_basic_constraints, spec.role == CertificateSpec::Role::kRoot
                                  ? "critical,CA:TRUE"
                                  : "critical,CA:TRUE,pathlen:0"},
      {NID_key_usage, "critical,keyCertSign,cRLSign"},
  };
  for (const Text& text : texts) {
    const absl::Status status =
        AddText(certificate, issuer->get(), text.nid, text.value);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status AddAmdExtension(X509* certificate, const AmdExtension& amd) {
  const ObjectPtr object(
      OBJ_txt2obj(absl::StrCat("1.3.6.1.4.1.3704.1.", amd.arc).c_str(), 1));
  const OctetsPtr octets(ASN1_OCTET_STRING_new());
  if (object == nullptr || octets == nullptr ||
      ASN1_OCTET_STRING_set(octets.get(), amd.value.data(),
                            static_cast<int>(amd.value.size())) != 1) {
    return Failure("AMD extension");
  }
  const ExtensionPtr extension(X509_EXTENSION_create_by_OBJ(
      nullptr, object.get(), /*crit=*/0, octets.get()));
  if (extension == nullptr ||
      X509_add_ext(certificate, extension.get(), -1) != 1) {
    return Failure("AMD extension");
  }
  return absl::OkStatus();
}

// A context that signs as `form` says.
absl::StatusOr<MdCtxPtr> BeginSignature(SignatureForm form, EVP_PKEY* key) {
  MdCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // Owned by `context`.
  const bool pss = form == SignatureForm::kAmd ||
                   form == SignatureForm::kPssSalt20 ||
                   form == SignatureForm::kPssSha256;
  const EVP_MD* const md = form == SignatureForm::kPkcs1Sha1   ? EVP_sha1()
                           : form == SignatureForm::kPssSha256 ? EVP_sha256()
                                                               : EVP_sha384();
  const int salt = form == SignatureForm::kPssSalt20 ? 20 : 48;
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), &parameters, md, nullptr, key) != 1) {
    return Failure("signing");
  }
  if (pss &&
      (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt) != 1 ||
       EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, md) != 1)) {
    return Failure("signing");
  }
  return context;
}

template <auto kEncode, typename T>
absl::StatusOr<Der> Encode(const T* object) {
  const int size = kEncode(object, nullptr);
  if (size <= 0) return Failure("encoding");
  Der der(static_cast<size_t>(size));
  uint8_t* out = der.data();
  kEncode(object, &out);
  return der;
}

// What both kinds of leaf say of their platform, in the order of genuine ones.
std::vector<AmdExtension> PlatformExtensions(const ChipModel& model,
                                             std::string_view product_name) {
  const sev::Tcb& tcb = model.tcb;
  std::vector<AmdExtension> extensions = {
      {"1", DerInteger(model.struct_version)},
      {"2", DerIa5String(std::string(product_name))}};
  std::vector<AmdExtension> parts;
  if (model.product == sev::Product::kTurin) {
    parts = {{"3.9", DerInteger(tcb.fmc)}, {"3.1", DerInteger(tcb.boot_loader)},
             {"3.2", DerInteger(tcb.tee)}, {"3.3", DerInteger(tcb.snp)},
             {"3.5", DerInteger(0)},       {"3.6", DerInteger(0)},
             {"3.7", DerInteger(0)},       {"3.8", DerInteger(tcb.microcode)}};
  } else {
    parts = {{"3.1", DerInteger(tcb.boot_loader)},
             {"3.2", DerInteger(tcb.tee)},
             {"3.4", DerInteger(0)},
             {"3.5", DerInteger(0)},
             {"3.6", DerInteger(0)},
             {"3.7", DerInteger(0)},
             {"3.3", DerInteger(tcb.snp)},
             {"3.8", DerInteger(tcb.microcode)}};
  }
  extensions.insert(extensions.end(), parts.begin(), parts.end());
  return extensions;
}

std::string Named(std::string_view prefix, const ChipModel& model) {
  return absl::StrCat(prefix, "-", model.line);
}

std::string IntermediateName(const ChipModel& model, SignerKind signs) {
  return Named(signs == SignerKind::kVcek ? "SEV" : "SEV-VLEK", model);
}

absl::Status AddRevoked(X509_CRL* crl, long serial, ASN1_TIME* since) {
  RevokedPtr revoked(X509_REVOKED_new());
  const IntegerPtr number(ASN1_INTEGER_new());
  if (revoked == nullptr || number == nullptr ||
      ASN1_INTEGER_set(number.get(), serial) != 1 ||
      X509_REVOKED_set_serialNumber(revoked.get(), number.get()) != 1 ||
      X509_REVOKED_set_revocationDate(revoked.get(), since) != 1 ||
      X509_CRL_add0_revoked(crl, revoked.get()) != 1) {
    return Failure("CRL entry");
  }
  revoked.release();  // The list owns it.
  return absl::OkStatus();
}

}  // namespace

Validity ValidForDays(long days) {
  const time_t now = time(nullptr);
  return {now - kDay, now + days * kDay};
}

Der DerInteger(uint8_t value) {
  if (value >= 0x80) return {0x02, 0x02, 0x00, value};
  return {0x02, 0x01, value};
}

Der DerIa5String(const std::string& text) {
  Der der = {0x16, static_cast<uint8_t>(text.size())};
  der.insert(der.end(), text.begin(), text.end());
  return der;
}

Der DerOctetString(const Der& contents) {
  Der der = {0x04, static_cast<uint8_t>(contents.size())};
  der.insert(der.end(), contents.begin(), contents.end());
  return der;
}

AmdExtension* CertificateSpec::Find(std::string_view arc) {
  const auto found = std::ranges::find(extensions, arc, &AmdExtension::arc);
  return found == extensions.end() ? nullptr : &*found;
}

void CertificateSpec::Remove(std::string_view arc) {
  std::erase_if(extensions,
                [arc](const AmdExtension& each) { return each.arc == arc; });
}

absl::StatusOr<Der> MakeCertificate(const CertificateSpec& spec) {
  auto certificate = Begin(spec);
  if (!certificate.ok()) return certificate.status();
  X509* const x509 = certificate->get();
  if (spec.role != CertificateSpec::Role::kLeaf) {
    const absl::Status status = AddCaExtensions(x509, spec);
    if (!status.ok()) return status;
  }
  for (const AmdExtension& extension : spec.extensions) {
    const absl::Status status = AddAmdExtension(x509, extension);
    if (!status.ok()) return status;
  }
  const auto context = BeginSignature(spec.form, spec.signer);
  if (!context.ok()) return context.status();
  if (X509_sign_ctx(x509, context->get()) <= 0) {
    return Failure("signing a certificate");
  }
  return Encode<&i2d_X509>(x509);
}

CertificateSpec ArkSpec(const ChipModel& model, EVP_PKEY* ark) {
  return {.role = CertificateSpec::Role::kRoot,
          .subject = Named("ARK", model),
          .issuer = Named("ARK", model),
          .serial = model.serial_base,
          .validity = ValidForDays(kRootDays),
          .key = ark,
          .signer = ark};
}

CertificateSpec IntermediateSpec(const ChipModel& model, SignerKind signs,
                                 EVP_PKEY* key, EVP_PKEY* ark) {
  return {.role = CertificateSpec::Role::kIntermediate,
          .subject = IntermediateName(model, signs),
          .issuer = Named("ARK", model),
          .serial =
              model.serial_base +
              (signs == SignerKind::kVcek ? kIntermediateOffset : kAsvkOffset),
          .validity = ValidForDays(kRootDays),
          .key = key,
          .signer = ark};
}

CertificateSpec VcekSpec(const ChipModel& model, const ChipId& chip_id,
                         EVP_PKEY* vcek, EVP_PKEY* ask) {
  CertificateSpec spec{
      .subject = "SEV-VCEK",
      .issuer = IntermediateName(model, SignerKind::kVcek),
      .validity = ValidForDays(kVcekDays),
      .key = vcek,
      .signer = ask,
      .extensions = PlatformExtensions(model, model.vcek_product_name)};
  // hwID: the octets themselves, not an OCTET STRING in one.
  spec.extensions.push_back(
      {"4", Der(chip_id.begin(),
                chip_id.begin() + static_cast<long>(model.hardware_id_size))});
  return spec;
}

CertificateSpec VlekSpec(const ChipModel& model, const std::string& csp_id,
                         EVP_PKEY* vlek, EVP_PKEY* asvk) {
  CertificateSpec spec{.subject = "SEV-VLEK",
                       .issuer = IntermediateName(model, SignerKind::kVlek),
                       .validity = ValidForDays(kVlekDays),
                       .key = vlek,
                       .signer = asvk,
                       .extensions = PlatformExtensions(model, model.line)};
  spec.extensions.push_back({"5", DerIa5String(csp_id)});
  return spec;
}

CrlSpec GoodCrlSpec(const ChipModel& model, EVP_PKEY* ark) {
  // Genuine ones are replaced every six weeks; nobody would replace this one.
  return {.issuer = Named("ARK", model),
          .validity = ValidForDays(kVcekDays),
          .signer = ark};
}

absl::StatusOr<Der> MakeCrl(const CrlSpec& spec) {
  const CrlPtr crl(X509_CRL_new());
  const NamePtr issuer = NameOf(spec.issuer);
  const TimePtr this_update(ASN1_TIME_set(nullptr, spec.validity.not_before));
  const TimePtr next_update(ASN1_TIME_set(nullptr, spec.validity.not_after));
  const auto key_holder = KeyIdentifierOf(spec.signer);
  if (!key_holder.ok()) return key_holder.status();
  const ExtensionPtr key_identifier = TextExtension(
      NID_authority_key_identifier, "keyid:always", nullptr, key_holder->get());
  const IntegerPtr number(ASN1_INTEGER_new());
  if (crl == nullptr || issuer == nullptr || this_update == nullptr ||
      next_update == nullptr || key_identifier == nullptr ||
      number == nullptr || ASN1_INTEGER_set(number.get(), spec.number) != 1 ||
      X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2) != 1 ||
      X509_CRL_set_issuer_name(crl.get(), issuer.get()) != 1 ||
      X509_CRL_set1_lastUpdate(crl.get(), this_update.get()) != 1 ||
      X509_CRL_set1_nextUpdate(crl.get(), next_update.get()) != 1 ||
      X509_CRL_add_ext(crl.get(), key_identifier.get(), -1) != 1 ||
      X509_CRL_add1_ext_i2d(crl.get(), NID_crl_number, number.get(), 0, 0) !=
          1) {
    return Failure("CRL");
  }
  std::vector<long> serials;
  if (spec.revoked_serial) serials.push_back(*spec.revoked_serial);
  for (long i = 0; i < spec.other_entries; ++i) {
    serials.push_back(kUnusedSerials + i);
  }
  for (const long serial : serials) {
    const absl::Status added = AddRevoked(crl.get(), serial, this_update.get());
    if (!added.ok()) return added;
  }
  X509_CRL_sort(crl.get());
  const auto context = BeginSignature(SignatureForm::kAmd, spec.signer);
  if (!context.ok()) return context.status();
  if (X509_CRL_sign_ctx(crl.get(), context->get()) <= 0) {
    return Failure("signing a CRL");
  }
  return Encode<&i2d_X509_CRL>(crl.get());
}

}  // namespace psp
