// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/selector.h"

#include <algorithm>

#include "sev/product.h"
#include "verifier/endorsements/report_signature.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

// Candidates of one place that are tried with one subject: what is more has to
// have the right name and the right chip, and is nobody's honest folder.
constexpr size_t kMostTried = 8;

constexpr time_t kNever = 0;

const ossl::Digest256& DigestOf(const CertificatePtr& certificate) {
  return certificate->certificate.sha256();
}

bool Holds(const std::vector<CertificatePtr>& list,
           const CertificatePtr& certificate) {
  return std::ranges::any_of(list, [&](const CertificatePtr& other) {
    return DigestOf(other) == DigestOf(certificate);
  });
}

void AddOnce(std::vector<CertificatePtr>& list,
             const CertificatePtr& certificate) {
  if (certificate != nullptr && !Holds(list, certificate)) {
    list.push_back(certificate);
  }
}

time_t IssuedAt(const CertificatePtr& certificate) {
  if (certificate == nullptr) return kNever;
  return certificate->certificate.not_before().value_or(kNever);
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

// --- Candidates.

const CertificatePtr& Selector::PlacedLeaf() const {
  const Endorsements::Places& placed = all_.placed_;
  if (placed.leaf.filled()) return placed.leaf.value;
  const bool vlek = query_.report != nullptr &&
                    query_.report->signing_key() == sev::SigningKey::kVlek;
  const auto& first = vlek ? placed.vlek : placed.vcek;
  const auto& second = vlek ? placed.vcek : placed.vlek;
  return first.filled() ? first.value : second.value;
}

bool Selector::Fits(const KnownCertificate& leaf) const {
  return query_.report != nullptr && leaf.facts.kind &&
         IsOfChip(leaf.facts, *query_.report) &&
         IsOfTcb(leaf.facts, *query_.report);
}

// What is stored for the report's chip, or for VLEKs, which have none.
std::vector<CertificatePtr> Selector::StoredLeaves() const {
  std::vector<CertificatePtr> found;
  if (query_.report == nullptr) return found;
  const base::Bytes chip = query_.report->chip_id();
  std::set<size_t> sizes;
  if (query_.report->signing_key() == sev::SigningKey::kVlek) {
    sizes.insert(0);
  } else {
    for (const sev::Product product : sev::kProducts) {
      sizes.insert(sev::HardwareIdSize(product));
    }
  }
  for (const Endorsements* at = &all_; at != nullptr; at = at->base_.get()) {
    for (const size_t size : sizes) {
      const auto [from, to] = at->by_chip_.equal_range(
          {chip.begin(), chip.begin() + static_cast<ptrdiff_t>(size)});
      for (auto entry = from; entry != to; ++entry) {
        const CertificatePtr& leaf = at->leaves_[entry->second].certificate;
        if (Fits(*leaf)) AddOnce(found, leaf);
      }
    }
  }
  return found;
}

std::vector<CertificatePtr> Selector::Leaves() {
  if (query_.leaf != nullptr) return {query_.leaf};
  for (const Endorsements::Held& held : all_.leaves_) {
    if (held.source.claim == Claim::kGiven) return {held.certificate};
  }
  std::vector<CertificatePtr> found = StoredLeaves();
  const CertificatePtr& placed = PlacedLeaf();
  if (placed != nullptr && Fits(*placed)) AddOnce(found, placed);
  if (found.empty() && placed != nullptr) return {placed};
  KeepWhoSigned(found);
  KeepTheBest(found);
  return found;
}

std::vector<CertificatePtr> Selector::Given(Place place) const {
  std::vector<CertificatePtr> found;
  for (const Endorsements::Held& held : all_.issuers_) {
    const bool is_root = KindOf(held.certificate->certificate) == "ARK";
    if (held.source.claim == Claim::kGiven &&
        is_root == (place == Place::kRoot)) {
      found.push_back(held.certificate);
    }
  }
  std::ranges::sort(found, {}, DigestOf);
  return found;
}

std::vector<CertificatePtr> Selector::AtHand(Place place) {
  std::vector<CertificatePtr> found;
  EachIssuer([&](const Endorsements::Held& held) {
    AddOnce(found, held.certificate);
  });
  if (place == Place::kRoot) {
    AddOnce(found, all_.placed_.root.value);
    for (const CertificatePtr& root : accepted_) AddOnce(found, root);
  } else {
    AddOnce(found, all_.placed_.intermediate.value);
  }
  return found;
}

// The names are compared before a signature is tried.
std::vector<CertificatePtr> Selector::SignersAmong(
    const Certificate& subject, const std::vector<CertificatePtr>& from) {
  std::vector<CertificatePtr> named;
  for (const CertificatePtr& candidate : from) {
    if (subject.NamesAsIssuer(candidate->certificate)) {
      named.push_back(candidate);
    }
  }
  std::vector<CertificatePtr> found;
  for (const CertificatePtr& candidate : named) {
    if (Signed(subject, candidate->certificate)) found.push_back(candidate);
  }
  KeepTheBest(found);
  return found;
}

// Anybody can certify a key that is public again, and so sign what it signed:
// too many of them must not crowd out the one under an accepted root.
bool Selector::IsVouchedFor(const Certificate& certificate) {
  if (IsAccepted(certificate)) return true;
  const auto has_signer = [&](Place place, auto counts) {
    return std::ranges::any_of(
        AtHand(place), [&](const CertificatePtr& candidate) {
          const Certificate& issuer = candidate->certificate;
          return certificate.NamesAsIssuer(issuer) && counts(issuer) &&
                 Signed(certificate, issuer);
        });
  };
  // Two levels and no more: names may go in circles.
  if (KindOf(certificate).starts_with("V")) {
    return has_signer(Place::kIntermediate, [this](const Certificate& issuer) {
      return !KindOf(issuer).starts_with("V") && IsVouchedFor(issuer);
    });
  }
  return has_signer(Place::kRoot, [this](const Certificate& issuer) {
    return IsAccepted(issuer);
  });
}

// Of several that fit, as VLEKs of one firmware do, those whose key signed the
// report; if none did, all.
void Selector::KeepWhoSigned(std::vector<CertificatePtr>& leaves) const {
  if (leaves.size() < 2 || query_.report == nullptr) return;
  std::vector<CertificatePtr> signers;
  for (const CertificatePtr& leaf : leaves) {
    if (ReportSignatureVerifies(*query_.report, leaf->certificate)) {
      signers.push_back(leaf);
    }
  }
  if (!signers.empty()) leaves = std::move(signers);
}

void Selector::KeepTheBest(std::vector<CertificatePtr>& candidates) {
  if (candidates.size() <= kMostTried) return;
  std::map<ossl::Digest256, bool> vouched;
  for (const CertificatePtr& candidate : candidates) {
    vouched[DigestOf(candidate)] = IsVouchedFor(candidate->certificate);
  }
  std::ranges::sort(candidates, {}, [&](const CertificatePtr& candidate) {
    return std::tuple(!vouched[DigestOf(candidate)],
                      !IsCurrent(candidate->certificate), -IssuedAt(candidate),
                      DigestOf(candidate));
  });
  candidates.resize(kMostTried);
}

// Never empty: null where nothing is at hand.
std::vector<CertificatePtr> Selector::IssuersFor(const CertificatePtr& subject,
                                                 Place place) {
  const std::vector<CertificatePtr> given = Given(place);
  const CertificatePtr& placed = place == Place::kRoot
                                     ? all_.placed_.root.value
                                     : all_.placed_.intermediate.value;
  if (subject == nullptr) {
    return {given.empty() ? placed : given.front()};
  }
  const std::vector<CertificatePtr> from =
      given.empty() ? AtHand(place) : given;
  // There is no choice: whoever judges it verifies the signature.
  if (from.size() == 1 && from.front() == placed) return from;
  std::vector<CertificatePtr> signers =
      SignersAmong(subject->certificate, from);
  if (!signers.empty()) return signers;
  if (given.empty()) return {placed};
  const auto named =
      std::ranges::find_if(given, [&](const CertificatePtr& candidate) {
        return subject->certificate.NamesAsIssuer(candidate->certificate);
      });
  return {named == given.end() ? given.front() : *named};
}

// The newest by number that `root` signed and that was issued by then; of a
// root that is not accepted, what came with it.
ListPtr Selector::ListOf(const CertificatePtr& root) {
  if (root == nullptr) return nullptr;
  const auto [at, is_new] = lists_.try_emplace(DigestOf(root), nullptr);
  if (!is_new) return at->second;
  ListPtr newest, given;
  const auto consider = [&](const ListPtr& list) {
    if (list == nullptr || !IsAccepted(root->certificate) ||
        !IsIssuedBy(list->crl, query_.at) ||
        (newest != nullptr && !IsNewer(list->crl, newest->crl))) {
      return;
    }
    if (Signed(list->crl, root->certificate)) newest = list;
  };
  EachList([&](const Endorsements::HeldList& held) {
    if (held.source.claim != Claim::kGiven) return;
    if (given == nullptr || held.list->crl.sha256() < given->crl.sha256()) {
      given = held.list;
    }
    consider(held.list);
  });
  if (given != nullptr && newest == nullptr) return at->second = given;
  EachList([&](const Endorsements::HeldList& held) { consider(held.list); });
  consider(all_.placed_.list.value);
  return at->second = newest != nullptr ? newest : all_.placed_.list.value;
}

// --- The choice.

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
