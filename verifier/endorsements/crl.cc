// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/crl.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <string>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "verifier/endorsements/pem.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr std::string_view kName = "CRL";

bool HasUnknownCriticalExtension(const X509_CRL* crl) {
  for (int i = 0; i < X509_CRL_get_ext_count(crl); ++i) {
    X509_EXTENSION* extension = X509_CRL_get_ext(crl, i);
    if (X509_EXTENSION_get_critical(extension) != 0) return true;
  }
  return false;
}

// The next element of DER at `at`, header and contents, of which `header` bytes
// are the header; `at` goes behind it. Empty: there is none.
base::Bytes TakeElement(base::Bytes& at, size_t& header) {
  const uint8_t* contents = at.data();
  long length = 0;
  int tag = 0, tag_class = 0;
  const int how = ASN1_get_object(&contents, &length, &tag, &tag_class,
                                  static_cast<long>(at.size()));
  header = 0;
  if ((how & 0x80) != 0) return {};
  header = static_cast<size_t>(contents - at.data());
  const base::Bytes element = at.first(header + static_cast<size_t>(length));
  at = at.subspan(element.size());
  return element;
}

// RFC 5280, 5.1.1.2: signatureAlgorithm is the same as `signature` in the
// signed part. X509_verify() compares them, X509_CRL_verify() only in later
// releases of OpenSSL 3.0 (3.0.19 does not). `der` has been parsed as a list.
bool AlgorithmsAgree(base::Bytes der) {
  size_t header = 0;
  base::Bytes list = TakeElement(der, header).subspan(header);
  base::Bytes signed_part = TakeElement(list, header).subspan(header);
  const base::Bytes algorithm = TakeElement(list, header);
  base::Bytes first = TakeElement(signed_part, header);
  if (!first.empty() && first[0] == V_ASN1_INTEGER) {  // the version
    first = TakeElement(signed_part, header);
  }
  return !first.empty() && base::Equal(first, algorithm);
}

}  // namespace

std::optional<Crl> Crl::Parse(base::Bytes bytes) {
  const std::vector<uint8_t> der = DerOf(bytes, "X509 CRL");
  if (der.empty() || der.size() > kMaxCrlSize) return std::nullopt;
  const uint8_t* at = der.data();
  Crl crl;
  crl.crl_.reset(d2i_X509_CRL(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  if (!crl.crl_ || at != der.data() + der.size() ||
      !EncodesAs<i2d_X509_CRL>(crl.crl_.get(), der)) {
    return std::nullopt;
  }
  if (!AlgorithmsAgree(der)) return std::nullopt;
  ERR_clear_error();
  crl.sha256_ = ossl::Sha256::Of(der);
  return crl;
}

std::vector<uint8_t> Crl::Der() const {
  std::vector<uint8_t> der(
      static_cast<size_t>(i2d_X509_CRL(crl_.get(), nullptr)));
  uint8_t* at = der.data();
  i2d_X509_CRL(crl_.get(), &at);
  return der;
}

Finding Crl::WhyNot(base::Bytes bytes) {
  const std::vector<uint8_t> der = DerOf(bytes, "X509 CRL");
  base::Bytes rest = der;
  size_t header = 0;
  const bool whole = !TakeElement(rest, header).empty() && rest.empty();
  if (whole && der.size() > kMaxCrlSize) {
    return {kCrlTooLarge,
            absl::StrCat(der.size(), " bytes, at most ", kMaxCrlSize)};
  }
  return {kCertificateMalformed, std::string(kName)};
}

std::optional<time_t> Crl::next_update() const {
  return ossl::TimeOf(X509_CRL_get0_nextUpdate(crl_.get()));
}

std::optional<time_t> Crl::this_update() const {
  return ossl::TimeOf(X509_CRL_get0_lastUpdate(crl_.get()));
}

uint64_t Crl::number() const {
  ASN1_INTEGER* integer = static_cast<ASN1_INTEGER*>(
      X509_CRL_get_ext_d2i(crl_.get(), NID_crl_number, nullptr, nullptr));
  uint64_t number = 0;
  if (integer == nullptr || ASN1_INTEGER_get_uint64(&number, integer) != 1) {
    number = 0;
  }
  ASN1_INTEGER_free(integer);
  ERR_clear_error();
  return number;
}

void CheckCrlSignedBy(const Crl& crl, const Certificate& root,
                      Findings& findings) {
  const X509_ALGOR* algorithm = nullptr;
  X509_CRL_get0_signature(crl.crl(), nullptr, &algorithm);
  if (const auto fault = SignatureAlgorithmFault(algorithm)) {
    findings.push_back({*fault, std::string(kName)});
    return;
  }
  if (X509_NAME_cmp(X509_CRL_get_issuer(crl.crl()), root.subject()) != 0) {
    findings.push_back({kCertificateIssuer, std::string(kName)});
    return;
  }
  // A critical extension would limit what the list speaks of (RFC 5280, 5.2).
  if (HasUnknownCriticalExtension(crl.crl())) {
    findings.push_back({kCertificateMalformed, "CRL: a critical extension"});
  }
  // Before it is used: a key of another size can be very slow.
  if (!root.HasIssuerKey()) {
    findings.push_back({kCertificateIssuerKey, std::string(kName)});
    return;
  }
  if (X509_CRL_verify(crl.crl(), root.key()) != 1) {
    findings.push_back({kCertificateSignature, std::string(kName)});
  }
  ERR_clear_error();
}

bool IsSignedBy(const Crl& crl, const Certificate& root) {
  Findings findings;
  CheckCrlSignedBy(crl, root, findings);
  return findings.empty();
}

bool IsNewer(const Crl& a, const Crl& b) {
  const auto key = [](const Crl& list) {
    return std::tuple(list.number(), list.this_update().value_or(0),
                      list.sha256());
  };
  return key(a) > key(b);
}

void CheckCrlCurrent(const Crl& crl, time_t now, Findings& findings) {
  const auto from = crl.this_update();
  const auto until = crl.next_update();
  if (!from || now < *from) {
    findings.push_back({kCertificateNotYetValid, std::string(kName)});
  }
  if (!until || now >= *until) findings.push_back({kCrlStale, ""});
}

void CheckNotRevoked(const Certificate& certificate, const Crl& crl,
                     std::string_view name, Findings& findings) {
  X509_REVOKED* entry = nullptr;
  // 2: an entry that takes a revocation back, which a full list does not have.
  if (X509_CRL_get0_by_serial(crl.crl(), &entry, certificate.serial()) != 0) {
    findings.push_back({kCertificateRevoked, std::string(name)});
  }
}

}  // namespace verifier
