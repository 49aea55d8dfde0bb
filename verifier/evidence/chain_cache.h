// SPDX-License-Identifier: Apache-2.0
//
// ChainCache: chains that verified. Only those, at most `max_entries`, and each
// until the first of its certificates or its CRL expires.
//
// It also keeps the intermediates and roots of those chains as they were
// parsed, since a fleet has few of them and taking a key apart costs more than
// verifying with it. Signatures are never skipped for one of those, but for a
// root's over itself.
//
// The key is SHA-256 over every byte that the result depends on: leaf, issuer,
// root, CRL, the imported authorities and the accepted roots. AMD certifies one
// key more than once, so the hash of a certificate names no key and no chip.
#pragma once

#include <ctime>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/bytes.h"
#include "verifier/evidence/certificate.h"
#include "verifier/evidence/chain.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

class ChainCache {
 public:
  explicit ChainCache(size_t max_entries) : max_entries_(max_entries) {}

  // Null: not there, or `now` is outside of what it was verified for.
  std::shared_ptr<const Chain> Find(const ossl::Digest256& key, time_t now);
  // Drops the one not used for longest if it is full.
  void Insert(const ossl::Digest256& key, std::shared_ptr<const Chain> chain);

  size_t size() const;

  // What stood in that place of a chain that verified, by its bytes as
  // received; empty: none of these.
  enum class Place : uint8_t { kIntermediate, kRoot };
  std::optional<Certificate> Issuer(Place place, base::Bytes bytes) const;
  void InsertIssuer(Place place, base::Bytes bytes,
                    const Certificate& certificate);

 private:
  struct Entry {
    std::shared_ptr<const Chain> chain;
    std::list<ossl::Digest256>::iterator use;
  };

  const size_t max_entries_;
  mutable std::mutex mutex_;
  std::list<ossl::Digest256> uses_;  // Last used first.
  std::map<ossl::Digest256, Entry> entries_;
  // Certificates of AMD's that exist: nine. One more makes room by dropping
  // all.
  static constexpr size_t kMaxIssuers = 64;
  std::map<ossl::Digest256, Certificate> issuers_;
};

}  // namespace verifier
