// SPDX-License-Identifier: Apache-2.0
//
// One X.509 certificate of AMD's hierarchy, and the single checks on it.
//
// Spec: AMD 57230 (VCEK and KDS interface) rev. 1.00, chapter 3: ARK and ASK
// are RSA-4096, everything is signed with RSASSA-PSS, SHA-384, MGF1 with
// SHA-384 and a salt of 48 bytes. Each check appends to the findings; a name
// such as "VCEK" says which certificate failed.
#pragma once

#include <openssl/x509.h>

#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

// Cheap to copy; copies share what was parsed.
class Certificate {
 public:
  // DER or PEM of exactly one certificate, nothing after it (but white space
  // after PEM); empty: it is not.
  static std::optional<Certificate> Parse(base::Bytes bytes);

  const ossl::Digest256& sha256() const;  // Of the DER.
  std::vector<uint8_t> Der() const;       // The bytes that were parsed.
  EVP_PKEY* key() const;                  // Null: of no known kind.
  const X509_NAME* subject() const;
  const X509_NAME* issuer() const;
  ASN1_INTEGER* serial() const;
  const X509_ALGOR* signature_algorithm() const;
  const STACK_OF(X509_EXTENSION) * extensions() const;  // May be null.

  // The subject's or issuer's CN in printable ASCII; empty: none, or several.
  std::string SubjectName() const;
  std::string IssuerName() const;
  // By basic constraints; those that do not parse count as a claim.
  bool ClaimsToBeCa() const;
  // Seconds since 1970, UTC; empty: not a time.
  std::optional<time_t> not_before() const;
  std::optional<time_t> not_after() const;

  bool HasIssuerKey() const;  // RSA-4096.
  // RFC 5280, 4.2: what is critical and not understood must be refused.
  bool HasUnknownCriticalExtension() const;
  bool NamesAsIssuer(const Certificate& other) const;
  // By whatever algorithm it states.
  bool SignatureVerifies(EVP_PKEY* issuer_key) const;

 private:
  struct Parsed;
  Certificate() = default;
  std::shared_ptr<const Parsed> parsed_;
};

// What stands around the signed part has one encoding in DER; OpenSSL reads
// others too. So the same signature would fit other bytes.
template <auto kEncode, typename T>
bool EncodesAs(const T* object, base::Bytes der) {
  const int size = kEncode(object, nullptr);
  if (size < 0 || static_cast<size_t>(size) != der.size()) return false;
  std::vector<uint8_t> again(der.size());
  uint8_t* at = again.data();
  return kEncode(object, &at) == size && base::Equal(again, der);
}

// RSASSA-PSS, SHA-384, MGF1 with SHA-384, salt of 48: empty. Otherwise the
// reason why not.
std::optional<base::Reason> SignatureAlgorithmFault(
    const X509_ALGOR* algorithm);

// Algorithm, issuer's key and name, then the signature itself.
void CheckSignedBy(const Certificate& certificate, const Certificate& issuer,
                   std::string_view name, Findings& findings);

// As CheckSignedBy, where nobody asks why not.
bool IsSignedBy(const Certificate& certificate, const Certificate& issuer);

// `now` in seconds since 1970, UTC.
void CheckValidity(const Certificate& certificate, time_t now,
                   std::string_view name, Findings& findings);

// Basic constraints and key usage allow it to sign certificates.
void CheckIsCa(const Certificate& certificate, std::string_view name,
               Findings& findings);

}  // namespace verifier
