// SPDX-License-Identifier: Apache-2.0
//
// Selector: answers one query to a collection of endorsements. A part of
// endorsements.h, apart for its length.
#pragma once

#include <array>
#include <compare>
#include <ctime>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "verifier/endorsements/endorsements.h"

namespace verifier {

class Selector {
 public:
  Selector(const Endorsements& all, const EndorsementQuery& query);

  Selection Run();
  std::vector<PassedOver> LeftOut(const Selection& selection);

 private:
  struct Chain {
    CertificatePtr leaf, intermediate, root;
    ListPtr list;
  };
  // What will be wrong with a chain, the gravest first. A chain of which a
  // check fails comes after one that lacks something.
  enum Fault : uint8_t {
    kAnyFails,
    kAnyMissing,
    kLeafNotSigned,
    kIntermediateNotSigned,
    kRootNotAccepted,
    kRevoked,
    kIssuerUnfit,
    kIssuerOutOfDate,
    kLeafOutOfDate,
    kNoIntermediate,
    kNoRoot,
    kFaultCount,
  };
  using Faults = std::array<bool, kFaultCount>;
  enum class Place : uint8_t { kIntermediate, kRoot };

  std::vector<CertificatePtr> StoredLeaves() const;
  std::vector<CertificatePtr> Leaves();
  bool IsVouchedFor(const Certificate& certificate);
  void KeepWhoSigned(std::vector<CertificatePtr>& leaves) const;
  void KeepTheBest(std::vector<CertificatePtr>& candidates);
  const CertificatePtr& PlacedLeaf() const;
  bool Fits(const KnownCertificate& leaf) const;
  std::vector<CertificatePtr> IssuersFor(const CertificatePtr& subject,
                                         Place place);
  std::vector<CertificatePtr> SignersAmong(
      const Certificate& subject, const std::vector<CertificatePtr>& from);
  std::vector<CertificatePtr> Given(Place place) const;
  std::vector<CertificatePtr> AtHand(Place place);
  ListPtr ListOf(const CertificatePtr& root);
  const Chain& BestOf(const std::vector<Chain>& chains);
  Faults FaultsOf(const Chain& chain);
  bool IsBetter(const Chain& a, const Faults& of_a, const Chain& b,
                const Faults& of_b) const;
  // Of a certificate or a list.
  template <typename Subject>
  bool Signed(const Subject& subject, const Certificate& issuer);
  bool IsAccepted(const Certificate& root) const;
  bool IsCurrent(const Certificate& certificate) const;
  static const ossl::Digest256& DigestOf(const CertificatePtr& certificate);
  static void AddOnce(std::vector<CertificatePtr>& list,
                      const CertificatePtr& certificate);
  // Its notBefore; null: 0.
  static time_t IssuedAt(const CertificatePtr& certificate);
  // By a list that is its root's; null: none.
  static bool IsRevoked(const Certificate& certificate, const ListPtr& list);
  // Whether the list was there at that time.
  static bool IsIssuedBy(const Crl& list, time_t at);
  std::optional<Unfit> WhyNotIssuer(const Certificate& certificate,
                                    const Selection& selection);
  std::optional<Unfit> WhyNotLeaf(const KnownCertificate& leaf,
                                  const Selection& selection);
  std::optional<Unfit> WhyNotList(const Crl& list, const Selection& selection);

  template <typename Visit>
  void EachIssuer(Visit visit) const {
    for (const Endorsements* at = &all_; at != nullptr; at = at->base_.get()) {
      for (const Endorsements::Held& held : at->issuers_) visit(held);
    }
  }
  template <typename Visit>
  void EachList(Visit visit) const {
    for (const Endorsements* at = &all_; at != nullptr; at = at->base_.get()) {
      for (const Endorsements::HeldList& held : at->lists_) visit(held);
    }
  }

  using Pair = std::pair<ossl::Digest256, ossl::Digest256>;

  const Endorsements& all_;
  const EndorsementQuery& query_;
  std::map<Pair, bool> signed_;
  std::map<ossl::Digest256, ListPtr> lists_;
  std::vector<CertificatePtr> accepted_;
};

}  // namespace verifier
