// SPDX-License-Identifier: Apache-2.0
//
// Chains that AMD would not have made, or not put together so. Each has a
// reason of its own.
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <array>
#include <string>
#include <utility>

#include "verifier/evidence/refusal.h"
#include "verifier/reasons.h"
#include "verifier/testing/resign.h"

namespace verifier {
namespace {

using psp::CertificateSpec;
using psp::SignatureForm;
using testing::Draft;
using testing::Exhibit;
using testing::kAppraisalTime;

using Part = CertificateSpec Draft::*;
using Bytes = std::vector<uint8_t> Exhibit::*;

std::function<Exhibit()> Signed(Part part, SignatureForm form) {
  return Drafted([=](Draft& d) { (d.*part).form = form; });
}

std::function<Exhibit()> Expired(Part part, Subject subject = {}) {
  return Drafted(
      [=](Draft& d) { (d.*part).validity.not_after = kAppraisalTime; },
      subject);
}

std::function<Exhibit()> NotYet(Part part) {
  return Drafted(
      [=](Draft& d) { (d.*part).validity.not_before = kAppraisalTime + 1; });
}

std::function<Exhibit()> Role(Part part, CertificateSpec::Role role) {
  return Drafted([=](Draft& d) { (d.*part).role = role; });
}

// The certificate of one place in another.
std::function<Exhibit()> In(Bytes place, Bytes from) {
  return Altered([=](Exhibit& e) { e.*place = e.*from; });
}

std::function<Exhibit()> Swapped(Bytes a, Bytes b) {
  return Altered([=](Exhibit& e) { std::swap(e.*a, e.*b); });
}

std::function<Exhibit()> Damaged(Bytes part) {
  return Altered([=](Exhibit& e) { (e.*part).pop_back(); });
}

// The last byte of its signature.
std::function<Exhibit()> Tampered(Bytes part) {
  return Altered([=](Exhibit& e) {
    (e.*part).back() ^= 1;
    e.roots[0].sha256 = ossl::Sha256::Of(e.root);
  });
}

std::function<Exhibit()> Resigned(Bytes part, EVP_PKEY* (*key)(),
                                  const testing::SignAs& as) {
  return Altered([=](Exhibit& e) {
    e.*part = testing::ResignCertificate(e.*part, key(), [](X509*) {}, as);
    e.roots[0].sha256 = ossl::Sha256::Of(e.root);
  });
}

std::function<Exhibit()> WithoutExtension(Bytes part, int nid) {
  return Altered([=](Exhibit& e) {
    e.*part = testing::ResignCertificate(
        e.*part, testing::ArkKey(), [nid](X509* x509) {
          const int at = X509_get_ext_by_NID(x509, nid, -1);
          X509_EXTENSION_free(X509_delete_ext(x509, at));
        });
  });
}

std::function<Exhibit()> WithCriticalExtension(Bytes part,
                                               EVP_PKEY* (*signer)()) {
  return Altered([=](Exhibit& e) {
    e.*part = testing::ResignCertificate(e.*part, signer(), [](X509* x509) {
      ASN1_OBJECT* unknown = OBJ_txt2obj("1.3.6.1.4.1.3704.1.99", 1);
      static constexpr uint8_t kZero[] = {0};
      ASN1_OCTET_STRING* value = ASN1_OCTET_STRING_new();
      ASN1_OCTET_STRING_set(value, kZero, sizeof kZero);
      X509_EXTENSION* extension =
          X509_EXTENSION_create_by_OBJ(nullptr, unknown, /*crit=*/1, value);
      X509_add_ext(x509, extension, -1);
      X509_EXTENSION_free(extension);
      ASN1_OCTET_STRING_free(value);
      ASN1_OBJECT_free(unknown);
    });
  });
}

// Each place: how its check and its rows are called.
void AddSignatureForms(std::vector<Refusal>& rows) {
  struct Place {
    const char* name;
    Check check;
    Part part;
    Bytes bytes;
    EVP_PKEY* (*signer)();
    base::Reason pkcs1, sha1, other;
  };
  // A root that does not verify under itself has one reason, with the other's
  // code as its detail.
  const Place places[] = {
      {"Leaf", Check::kLeafSigned, &Draft::leaf, &Exhibit::leaf,
       testing::AskKey, kCertificatePkcs1, kCertificateSha1,
       kCertificateAlgorithm},
      {"Intermediate", Check::kIntermediateSigned, &Draft::intermediate,
       &Exhibit::intermediate, testing::ArkKey, kCertificatePkcs1,
       kCertificateSha1, kCertificateAlgorithm},
      {"Root", Check::kRootSelfSigned, &Draft::root, &Exhibit::root,
       testing::ArkKey, kRootNotSelfSigned, kRootNotSelfSigned,
       kRootNotSelfSigned},
  };
  for (const Place& place : places) {
    const auto add = [&](const char* what, base::Reason reason, auto make) {
      rows.push_back({std::string(place.name) + what,
                      {place.check},
                      reason,
                      std::move(make)});
    };
    add("SignedByPkcs1", place.pkcs1,
        Signed(place.part, SignatureForm::kPkcs1Sha384));
    add("SignedWithSha1", place.sha1,
        Signed(place.part, SignatureForm::kPkcs1Sha1));
    add("SignedByPssWithSha1", place.sha1,
        Resigned(place.bytes, place.signer, {.md = EVP_sha1(), .salt = 20}));
    add("SignedByPssWithSha256", place.other,
        Signed(place.part, SignatureForm::kPssSha256));
    add("SignedByPssWithSha512", place.other,
        Resigned(place.bytes, place.signer, {.md = EVP_sha512()}));
    add("SignedByPssWithSalt20", place.other,
        Signed(place.part, SignatureForm::kPssSalt20));
    add("SignedByPssWithMaskOfSha256", place.other,
        Resigned(place.bytes, place.signer, {.mask = EVP_sha256()}));
  }
}

// With these, little of what follows fits.
void AddPlaces(std::vector<Refusal>& rows) {
  const auto add = [&](const char* name, std::vector<Check> fails,
                       base::Reason reason, auto make) {
    rows.push_back({name, std::move(fails), reason, std::move(make),
                    /*and_more=*/true});
  };
  add("LeafInTheIntermediatesPlace", {Check::kIntermediateKnown},
      kCertificateDuplicate, In(&Exhibit::intermediate, &Exhibit::leaf));
  add("RootInTheIntermediatesPlace", {Check::kIntermediateKnown},
      kCertificateDuplicate, In(&Exhibit::intermediate, &Exhibit::root));
  add("IntermediateInTheRootsPlace",
      {Check::kIntermediateKnown, Check::kRootPinned}, kCertificateDuplicate,
      In(&Exhibit::root, &Exhibit::intermediate));
  add("IntermediateInTheLeafsPlace",
      {Check::kIntermediateKnown, Check::kLeafType}, kCertificateDuplicate,
      In(&Exhibit::leaf, &Exhibit::intermediate));
  add("RootInTheLeafsPlace", {Check::kLeafType}, kCertificateOrder,
      In(&Exhibit::leaf, &Exhibit::root));
  add("LeafInTheRootsPlace", {Check::kRootPinned}, kCertificateOrder,
      In(&Exhibit::root, &Exhibit::leaf));
  add("LeafAndIntermediateSwapped",
      {Check::kIntermediateKnown, Check::kLeafType}, kCertificateOrder,
      Swapped(&Exhibit::leaf, &Exhibit::intermediate));
  add("IntermediateAndRootSwapped",
      {Check::kIntermediateKnown, Check::kRootPinned}, kCertificateOrder,
      Swapped(&Exhibit::intermediate, &Exhibit::root));
  add("LeafAndRootSwapped", {Check::kRootPinned, Check::kLeafType},
      kCertificateOrder, Swapped(&Exhibit::leaf, &Exhibit::root));
}

}  // namespace

std::vector<Refusal> ChainRefusals() {
  using Form = CertificateSpec::Role;
  std::vector<Refusal> rows = {
      {"LeafCut",
       {Check::kCertificatesParse},
       kCertificateMalformed,
       Damaged(&Exhibit::leaf)},
      {"IntermediateCut",
       {Check::kCertificatesParse},
       kCertificateMalformed,
       Damaged(&Exhibit::intermediate)},
      {"RootCut",
       {Check::kCertificatesParse},
       kCertificateMalformed,
       Damaged(&Exhibit::root)},
      {"LeafWithTail",
       {Check::kCertificatesParse},
       kCertificateMalformed,
       Altered([](Exhibit& e) { e.leaf.push_back(0); })},
      {"LeafExpired",
       {Check::kLeafInValidity},
       kCertificateExpired,
       Expired(&Draft::leaf)},
      {"VlekExpired",
       {Check::kLeafInValidity},
       kCertificateExpired,
       Expired(&Draft::leaf, kMilanVlek)},
      {"IntermediateExpired",
       {Check::kIntermediateInValidity},
       kCertificateExpired,
       Expired(&Draft::intermediate)},
      {"RootExpired",
       {Check::kRootInValidity},
       kCertificateExpired,
       Expired(&Draft::root)},
      {"LeafNotYetValid",
       {Check::kLeafInValidity},
       kCertificateNotYetValid,
       NotYet(&Draft::leaf)},
      {"IntermediateNotYetValid",
       {Check::kIntermediateInValidity},
       kCertificateNotYetValid,
       NotYet(&Draft::intermediate)},
      {"RootNotYetValid",
       {Check::kRootInValidity},
       kCertificateNotYetValid,
       NotYet(&Draft::root)},
      {"LeafOnP256",
       {Check::kLeafKey, Check::kReportSignature},
       kVcekKey,
       Drafted([](Draft& d) {
         d.leaf.key = d.report_signer = testing::P256Key();
       })},
      {"LeafWithRsaKey",
       {Check::kLeafKey, Check::kReportSignature},
       kVcekKey,
       Drafted([](Draft& d) { d.leaf.key = testing::Rsa2048Key(); })},
      {"LeafOfUnknownName",
       {Check::kLeafType},
       kLeafUnknown,
       Drafted([](Draft& d) { d.leaf.subject = "SEV-CEK"; })},
      {"LeafThatIsCa",
       {Check::kLeafType},
       kVcekIsCa,
       Role(&Draft::leaf, Form::kIntermediate)},
      {"LeafWithUnknownCriticalExtension",
       {Check::kLeafType},
       kCertificateCritical,
       WithCriticalExtension(&Exhibit::leaf, testing::AskKey)},
      {"LeafOfAnotherSigner",
       {Check::kLeafSigned},
       kCertificateSignature,
       Drafted([](Draft& d) { d.leaf.signer = testing::AsvkKey(); })},
      {"LeafNamesAnotherIssuer",
       {Check::kLeafSigned},
       kCertificateIssuer,
       Drafted([](Draft& d) { d.leaf.issuer = "SEV-Genoa"; })},
      {"LeafSignatureTampered",
       {Check::kLeafSigned},
       kCertificateSignature,
       Tampered(&Exhibit::leaf)},
      {"VcekUnderAsvk",
       {Check::kLeafSigned},
       kLeafOfAnotherIssuer,
       Drafted([](Draft& d) {
         d.intermediate.subject = d.leaf.issuer = "SEV-VLEK-Milan";
       })},
      {"VlekUnderAsk",
       {Check::kLeafSigned},
       kLeafOfAnotherIssuer,
       Drafted(
           [](Draft& d) {
             d.intermediate.subject = d.leaf.issuer = "SEV-Milan";
           },
           kMilanVlek)},
      {"IntermediateOfUnknownProduct",
       {Check::kIntermediateKnown},
       kProductUnknown,
       Drafted([](Draft& d) {
         d.intermediate.subject = d.leaf.issuer = "SEV-Venice";
       })},
      {"AsvkOfUnknownProduct",
       {Check::kIntermediateKnown},
       kProductUnknown,
       Drafted(
           [](Draft& d) {
             d.intermediate.subject = d.leaf.issuer = "SEV-VLEK-Venice";
           },
           kMilanVlek)},
      {"IntermediateOfUnknownName",
       {Check::kIntermediateKnown},
       kIntermediateUnknown,
       Drafted([](Draft& d) {
         d.intermediate.subject = d.leaf.issuer = "SEV-ROME";
       })},
      {"IntermediateOfNoProduct",
       {Check::kIntermediateKnown},
       kIntermediateUnknown,
       Drafted(
           [](Draft& d) { d.intermediate.subject = d.leaf.issuer = "SEV-"; })},
      {"IntermediateNamedLikeAProduct",
       {Check::kIntermediateKnown},
       kIntermediateUnknown,
       Drafted([](Draft& d) {
         d.intermediate.subject = d.leaf.issuer = "SEV-Milan-B0";
       })},
      {"IntermediateThatIsNoCa",
       {Check::kIntermediateKnown},
       kCertificateNotCa,
       Role(&Draft::intermediate, Form::kLeaf)},
      {"IntermediateWithoutBasicConstraints",
       {Check::kIntermediateKnown},
       kCertificateNotCa,
       WithoutExtension(&Exhibit::intermediate, NID_basic_constraints)},
      {"IntermediateWithoutKeyUsage",
       {Check::kIntermediateKnown},
       kCertificateNotCa,
       WithoutExtension(&Exhibit::intermediate, NID_key_usage)},
      {"IntermediateWithUnknownCriticalExtension",
       {Check::kIntermediateKnown},
       kCertificateCritical,
       WithCriticalExtension(&Exhibit::intermediate, testing::ArkKey)},
      {"IntermediateWithShortKey",
       {Check::kLeafSigned},
       kCertificateIssuerKey,
       Drafted([](Draft& d) {
         d.intermediate.key = d.leaf.signer = testing::Rsa2048Key();
       })},
      {"IntermediateOfAnotherSigner",
       {Check::kIntermediateSigned},
       kCertificateSignature,
       Drafted([](Draft& d) { d.intermediate.signer = testing::AsvkKey(); })},
      {"IntermediateNamesAnotherIssuer",
       {Check::kIntermediateSigned},
       kCertificateIssuer,
       Drafted([](Draft& d) { d.intermediate.issuer = "ARK-Genoa"; })},
      {"IntermediateSignatureTampered",
       {Check::kIntermediateSigned},
       kCertificateSignature,
       Tampered(&Exhibit::intermediate)},
      {"IntermediateOfAnotherProduct",
       {Check::kProductLine, Check::kProductName},
       kReportProductMismatch,
       Drafted([](Draft& d) {
         d.intermediate.subject = d.leaf.issuer = "SEV-Genoa";
       })},
      {"SelfMadeRoot",
       {Check::kRootPinned},
       kRootNotAccepted,
       Altered([](Exhibit& e) {
         Draft own = testing::GoodDraft();
         own.crl.reset();
         own.root.key = own.root.signer = own.intermediate.signer =
             testing::AsvkKey();
         const Exhibit made = own.Sign();
         e.intermediate = made.intermediate;
         e.root = made.root;
         e.crl.clear();
       })},
      {"NoRootAccepted",
       {Check::kRootPinned},
       kRootNotAccepted,
       Altered([](Exhibit& e) { e.roots.clear(); })},
      {"AcceptedRootOfTheSameNameDidNotSign",
       {Check::kIntermediateSigned},
       kCertificateSignature,
       Drafted([](Draft& d) {
         d.root.key = d.root.signer = testing::AsvkKey();
         d.crl.reset();
       })},
      {"RootOfAnotherSigner",
       {Check::kRootSelfSigned},
       kRootNotSelfSigned,
       Drafted([](Draft& d) { d.root.signer = testing::AsvkKey(); })},
      {"RootThatIsNoCa",
       {Check::kRootSelfSigned},
       kCertificateNotCa,
       Role(&Draft::root, Form::kLeaf)},
      {"RootSignatureTampered",
       {Check::kRootSelfSigned},
       kRootNotSelfSigned,
       Tampered(&Exhibit::root)},
  };
  AddSignatureForms(rows);
  AddPlaces(rows);
  return rows;
}

std::vector<Refusal> CrlRefusals() {
  const auto changed = [](const std::function<void(X509_CRL*)>& change) {
    return Altered([=](Exhibit& e) {
      e.crl = testing::ResignCrl(e.crl, testing::ArkKey(), change);
    });
  };
  const auto with_critical = [](int nid) {
    return [nid](X509_CRL* crl) {
      X509_EXTENSION* extension =
          X509V3_EXT_conf_nid(nullptr, nullptr, nid, "critical,DER:02:01:01");
      X509_CRL_add_ext(crl, extension, -1);
      X509_EXTENSION_free(extension);
    };
  };
  const auto drafted = [](const std::function<void(psp::CrlSpec&)>& f) {
    return Drafted([=](Draft& d) { f(*d.crl); });
  };
  return {
      {"CrlCut",
       {Check::kCertificatesParse},
       kCertificateMalformed,
       Damaged(&Exhibit::crl)},
      {"CrlOfTooManyEntries",
       {Check::kCertificatesParse},
       kCrlTooLarge,
       drafted([](auto& crl) { crl.other_entries = 3000; })},
      {"CrlOfAnotherSigner",
       {Check::kCrlSigned},
       kCertificateSignature,
       drafted([](auto& crl) { crl.signer = testing::AskKey(); })},
      {"CrlOfAnotherIssuer",
       {Check::kCrlSigned},
       kCertificateIssuer,
       drafted([](auto& crl) { crl.issuer = "ARK-Genoa"; })},
      {"CrlSignedByPkcs1",
       {Check::kCrlSigned},
       kCertificatePkcs1,
       Altered([](Exhibit& e) {
         e.crl = testing::ResignCrl(e.crl, testing::ArkKey(), [](X509_CRL*) {},
                                    {.padding = RSA_PKCS1_PADDING});
       })},
      {"CrlTampered",
       {Check::kCrlSigned},
       kCertificateSignature,
       Tampered(&Exhibit::crl)},
      {"CrlOfAnotherScope",
       {Check::kCrlSigned},
       kCertificateMalformed,
       changed(with_critical(NID_delta_crl))},
      {"CrlStale", {Check::kCrlCurrent}, kCrlStale, drafted([](auto& crl) {
         crl.validity.not_after = kAppraisalTime;
       })},
      {"CrlNotYetValid",
       {Check::kCrlCurrent},
       kCertificateNotYetValid,
       drafted(
           [](auto& crl) { crl.validity.not_before = kAppraisalTime + 1; })},
      {"CrlWithoutNextUpdate",
       {Check::kCrlCurrent},
       kCrlStale,
       Altered([](Exhibit& e) {
         e.crl = testing::CrlWithoutNextUpdate(e.crl, testing::ArkKey());
       })},
      {"IntermediateRevoked",
       {Check::kIntermediateNotRevoked},
       kCertificateRevoked,
       Drafted(
           [](Draft& d) { d.crl->revoked_serial = d.intermediate.serial; })},
      {"AsvkRevoked",
       {Check::kIntermediateNotRevoked},
       kCertificateRevoked,
       Drafted([](Draft& d) { d.crl->revoked_serial = d.intermediate.serial; },
               kMilanVlek)},
      {"RootRevoked",
       {Check::kIntermediateNotRevoked},
       kCertificateRevoked,
       Drafted([](Draft& d) { d.crl->revoked_serial = d.root.serial; })},
  };
}

}  // namespace verifier
