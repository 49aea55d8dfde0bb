// SPDX-License-Identifier: Apache-2.0
//
// AMD's certificate revocation list: which ASK or ASVK an ARK has withdrawn.
//
// Spec: AMD 57230 rev. 1.00, "CRL"; RFC 5280, 5. Signed as certificates are:
// RSASSA-PSS, SHA-384, salt of 48 bytes.
#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "verifier/endorsements/certificate.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

// In DER. No larger list reaches a verifier from elsewhere: a session carries
// as much in all, and so does an answer of the key service. It holds 1800
// entries and more; AMD's lists have had one at most.
inline constexpr size_t kMaxCrlSize = 64 * 1024;

class Crl {
 public:
  // DER or PEM of exactly one list, nothing after it, of at most kMaxCrlSize,
  // whose two names of the signature's algorithm are the same (RFC 5280,
  // 5.1.1.2); empty: it is not.
  static std::optional<Crl> Parse(base::Bytes bytes);
  // Why Parse() gave nothing: kCrlTooLarge, or kCertificateMalformed.
  static Finding WhyNot(base::Bytes bytes);

  X509_CRL* crl() const { return crl_.get(); }
  const ossl::Digest256& sha256() const { return sha256_; }  // of the DER
  std::vector<uint8_t> Der() const;  // The bytes that were parsed.
  // Seconds since 1970, UTC; empty: the list has none, and so is not current.
  std::optional<time_t> this_update() const;
  std::optional<time_t> next_update() const;
  uint64_t number() const;  // CRL number; 0: none.

 private:
  std::unique_ptr<X509_CRL, ossl::Deleter<X509_CRL_free>> crl_;
  ossl::Digest256 sha256_{};
};

// Issuer's name, algorithm, signature, no unknown critical extension.
void CheckCrlSignedBy(const Crl& crl, const Certificate& root,
                      Findings& findings);
// As CheckCrlSignedBy, where nobody asks why not.
bool IsSignedBy(const Crl& crl, const Certificate& root);
// Of two lists of one root: by number, then by thisUpdate, then by SHA-256.
bool IsNewer(const Crl& a, const Crl& b);
// thisUpdate <= now < nextUpdate.
void CheckCrlCurrent(const Crl& crl, time_t now, Findings& findings);
// Of a list that was checked.
void CheckNotRevoked(const Certificate& certificate, const Crl& crl,
                     std::string_view name, Findings& findings);

}  // namespace verifier
