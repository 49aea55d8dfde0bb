// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/known_certificates.h"

namespace verifier {

CertificatePtr KnownCertificates::Find(const ossl::Digest256& received) const {
  const std::lock_guard lock(mutex_);
  const auto found = certificates_.find(received);
  return found == certificates_.end() ? nullptr : found->second;
}

ListPtr KnownCertificates::FindList(const ossl::Digest256& received) const {
  const std::lock_guard lock(mutex_);
  const auto found = lists_.find(received);
  return found == lists_.end() ? nullptr : found->second;
}

void KnownCertificates::Keep(CertificatePtr certificate) {
  const std::lock_guard lock(mutex_);
  if (certificates_.size() >= kMost) certificates_.clear();
  certificates_.try_emplace(certificate->received, certificate);
}

void KnownCertificates::Keep(ListPtr list) {
  const std::lock_guard lock(mutex_);
  if (lists_.size() >= kMost) lists_.clear();
  lists_.try_emplace(list->received, list);
}

bool KnownCertificates::IsSigned(const ossl::Digest256& subject,
                                 const ossl::Digest256& issuer) const {
  const std::lock_guard lock(mutex_);
  return signed_.contains({subject, issuer});
}

void KnownCertificates::KeepSigned(const ossl::Digest256& subject,
                                   const ossl::Digest256& issuer) {
  const std::lock_guard lock(mutex_);
  if (signed_.size() >= kMost) signed_.clear();
  signed_.insert({subject, issuer});
}

size_t KnownCertificates::size() const {
  const std::lock_guard lock(mutex_);
  return certificates_.size();
}

}  // namespace verifier
