// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/selector.h"

#include <algorithm>

#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr time_t kNever = 0;

bool Holds(const std::vector<CertificatePtr>& list,
           const CertificatePtr& certificate) {
  return std::ranges::any_of(list, [&](const CertificatePtr& other) {
    return other->certificate.sha256() == certificate->certificate.sha256();
  });
}

// What signs VCEKs is an ASK, what signs VLEKs an ASVK.
bool IsIssuerOf(const Certificate& intermediate, const LeafFacts& leaf) {
  const std::string_view kind = KindOf(intermediate);
  return kind == (leaf.kind == SignerKind::kVlek ? "ASVK" : "ASK");
}

bool MaySign(const Certificate& certificate) {
  Findings findings;
  CheckIsCa(certificate, "", findings);
  return findings.empty() && !certificate.HasUnknownCriticalExtension();
}

}  // namespace

const ossl::Digest256& Selector::DigestOf(const CertificatePtr& certificate) {
  return certificate->certificate.sha256();
}

void Selector::AddOnce(std::vector<CertificatePtr>& list,
                       const CertificatePtr& certificate) {
  if (certificate != nullptr && !Holds(list, certificate)) {
    list.push_back(certificate);
  }
}

time_t Selector::IssuedAt(const CertificatePtr& certificate) {
  if (certificate == nullptr) return kNever;
  return certificate->certificate.not_before().value_or(kNever);
}

Selector::Selector(const Endorsements& all, const EndorsementQuery& query)
    : all_(all), query_(query) {
  // Roots that came with their acceptance.
  for (const AcceptedRoot& root : query.roots) {
    if (!root.der.empty()) AddOnce(accepted_, all.Parse(root.der));
  }
}

bool Selector::IsRevoked(const Certificate& certificate, const ListPtr& list) {
  if (list == nullptr) return false;
  Findings revoked;
  CheckNotRevoked(certificate, list->crl, "", revoked);
  return !revoked.empty();
}

bool Selector::IsIssuedBy(const Crl& list, time_t at) {
  const auto from = list.this_update();
  return from && *from <= at;
}

template <typename Subject>
bool Selector::Signed(const Subject& subject, const Certificate& issuer) {
  const Pair pair(subject.sha256(), issuer.sha256());
  if (const auto known = all_.IsSigned(pair.first, pair.second)) return *known;
  const auto [at, is_new] = signed_.try_emplace(pair, false);
  if (is_new) at->second = IsSignedBy(subject, issuer);
  return at->second;
}
template bool Selector::Signed(const Certificate&, const Certificate&);
template bool Selector::Signed(const Crl&, const Certificate&);

bool Selector::IsAccepted(const Certificate& root) const {
  return std::ranges::find(query_.roots, root.sha256(),
                           &AcceptedRoot::sha256) != query_.roots.end();
}

bool Selector::IsCurrent(const Certificate& certificate) const {
  Findings findings;
  CheckValidity(certificate, query_.at, "", findings);
  return findings.empty();
}

Selector::Faults Selector::FaultsOf(const Chain& chain) {
  Faults faults{};
  const CertificatePtr& leaf = chain.leaf;
  const CertificatePtr& intermediate = chain.intermediate;
  const CertificatePtr& root = chain.root;
  faults[kNoIntermediate] = intermediate == nullptr;
  faults[kNoRoot] = root == nullptr;
  faults[kAnyMissing] = faults[kNoIntermediate] || faults[kNoRoot];
  if (leaf != nullptr) {
    faults[kLeafOutOfDate] = !IsCurrent(leaf->certificate);
  }
  if (intermediate != nullptr) {
    const Certificate& certificate = intermediate->certificate;
    if (leaf != nullptr) {
      faults[kLeafNotSigned] = !Signed(leaf->certificate, certificate);
      faults[kIssuerUnfit] = !IsIssuerOf(certificate, leaf->facts);
    }
    faults[kIssuerUnfit] |= !MaySign(certificate);
    faults[kIssuerOutOfDate] = !IsCurrent(certificate);
    faults[kRevoked] = IsRevoked(certificate, chain.list);
  }
  if (root != nullptr) {
    const Certificate& certificate = root->certificate;
    faults[kRootNotAccepted] = !IsAccepted(certificate);
    faults[kIntermediateNotSigned] =
        intermediate != nullptr &&
        !Signed(intermediate->certificate, certificate);
    faults[kIssuerOutOfDate] |= !IsCurrent(certificate);
    faults[kRevoked] |= IsRevoked(certificate, chain.list);
  }
  for (size_t i = kLeafNotSigned; i < kNoIntermediate; ++i) {
    faults[kAnyFails] |= faults[i];
  }
  return faults;
}

bool Selector::IsBetter(const Chain& a, const Faults& of_a, const Chain& b,
                        const Faults& of_b) const {
  if (of_a != of_b) return of_a < of_b;
  const auto key = [](const Chain& chain) {
    const auto sha256 = [](const CertificatePtr& certificate) {
      return certificate == nullptr ? ossl::Digest256{} : DigestOf(certificate);
    };
    return std::tuple(-IssuedAt(chain.intermediate), -IssuedAt(chain.leaf),
                      -IssuedAt(chain.root), sha256(chain.intermediate),
                      sha256(chain.leaf), sha256(chain.root));
  };
  return key(a) < key(b);
}

// Mostly there is one, which is judged anyway.
const Selector::Chain& Selector::BestOf(const std::vector<Chain>& chains) {
  const Chain* best = &chains.front();
  if (chains.size() == 1) return *best;
  Faults of_best = FaultsOf(*best);
  for (const Chain& chain : chains) {
    const Faults faults = FaultsOf(chain);
    if (IsBetter(chain, faults, *best, of_best)) {
      best = &chain;
      of_best = faults;
    }
  }
  return *best;
}

Selection Selector::Run() {
  std::vector<CertificatePtr> leaves = Leaves();
  if (leaves.empty()) leaves.push_back(nullptr);
  std::vector<Chain> chains;
  for (const CertificatePtr& leaf : leaves) {
    for (const CertificatePtr& intermediate :
         IssuersFor(leaf, Place::kIntermediate)) {
      for (const CertificatePtr& root :
           IssuersFor(intermediate, Place::kRoot)) {
        chains.push_back({.leaf = leaf,
                          .intermediate = intermediate,
                          .root = root,
                          .list = ListOf(root)});
      }
    }
  }
  const Chain& best = BestOf(chains);
  Selection selection = {.leaf = best.leaf,
                         .intermediate = best.intermediate,
                         .root = best.root,
                         .list = best.list,
                         .unusable = all_.unusable_};
  const Endorsements::Places& placed = all_.placed_;
  const auto count = [&](const std::optional<Finding>& fault, bool replaced) {
    if (!fault || replaced) return;
    selection.unusable.push_back(*fault);
    selection.has_broken_place = true;
  };
  for (const auto& slot : {placed.leaf, placed.vcek, placed.vlek}) {
    count(slot.fault, selection.leaf != nullptr);
  }
  count(placed.intermediate.fault, selection.intermediate != nullptr);
  count(placed.root.fault, selection.root != nullptr);
  count(placed.list.fault, selection.list != nullptr);
  return selection;
}

Selection Endorsements::For(const EndorsementQuery& query) const {
  return Selector(*this, query).Run();
}

std::vector<PassedOver> Endorsements::LeftOut(
    const EndorsementQuery& query, const Selection& selection) const {
  return Selector(*this, query).LeftOut(selection);
}

}  // namespace verifier
