// SPDX-License-Identifier: Apache-2.0
//
// ChainCache: chains that verified. Only those, at most `max_entries`, and each
// until the first of its certificates or its list expires.
//
// The key is SHA-256 over everything that the result depends on: leaf, issuer,
// root, list and the accepted roots.
//
// Beside them stands what does not depend on time, in known(): a fleet has few
// issuers, and taking a key apart costs more than verifying with it.
#pragma once

#include <ctime>
#include <list>
#include <map>
#include <memory>
#include <mutex>

#include "verifier/endorsements/known_certificates.h"
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

  KnownCertificates& known() { return known_; }
  const KnownCertificates& known() const { return known_; }

 private:
  struct Entry {
    std::shared_ptr<const Chain> chain;
    std::list<ossl::Digest256>::iterator use;
  };

  const size_t max_entries_;
  mutable std::mutex mutex_;
  std::list<ossl::Digest256> uses_;  // Last used first.
  std::map<ossl::Digest256, Entry> entries_;
  KnownCertificates known_;
};

}  // namespace verifier
