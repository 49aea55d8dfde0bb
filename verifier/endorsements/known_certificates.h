// SPDX-License-Identifier: Apache-2.0
//
// KnownCertificates: what was parsed, and which signatures verified, of chains
// that were good. Neither depends on time or on who asks: a signature verifies
// or it does not. Only what stood in a good chain comes in, so that nobody can
// crowd it out with certificates of his own making.
//
// Keys are SHA-256 over whole certificates, the subject's and the issuer's: AMD
// certifies one key more than once, so a key names no certificate.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "verifier/endorsements/certificate.h"
#include "verifier/endorsements/crl.h"
#include "verifier/endorsements/leaf_facts.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

// One certificate as it came; shared and never changed.
struct KnownCertificate {
  Certificate certificate;
  LeafFacts facts;           // Of a VCEK or VLEK; without a kind otherwise.
  ossl::Digest256 received;  // Of the bytes as received, PEM or DER.
};
using CertificatePtr = std::shared_ptr<const KnownCertificate>;

struct KnownList {
  Crl crl;
  ossl::Digest256 received;
};
using ListPtr = std::shared_ptr<const KnownList>;

// May be used by several threads.
class KnownCertificates {
 public:
  // Null: not known. `received`: SHA-256 of the bytes.
  CertificatePtr Find(const ossl::Digest256& received) const;
  ListPtr FindList(const ossl::Digest256& received) const;
  void Keep(CertificatePtr certificate);
  void Keep(ListPtr list);

  // By SHA-256 of their DER; the subject may be a list.
  bool IsSigned(const ossl::Digest256& subject,
                const ossl::Digest256& issuer) const;
  void KeepSigned(const ossl::Digest256& subject,
                  const ossl::Digest256& issuer);

  size_t size() const;

 private:
  using Pair = std::pair<ossl::Digest256, ossl::Digest256>;
  // Of each kind; one more makes room by dropping all. A fleet of a thousand
  // chips fits.
  static constexpr size_t kMost = 4096;

  mutable std::mutex mutex_;
  std::map<ossl::Digest256, CertificatePtr> certificates_;
  std::map<ossl::Digest256, ListPtr> lists_;
  std::set<Pair> signed_;
};

}  // namespace verifier
