// SPDX-License-Identifier: Apache-2.0
//
// Selector: what could stand in each place of a chain.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "sev/product.h"
#include "verifier/endorsements/report_signature.h"
#include "verifier/endorsements/selector.h"

namespace verifier {
namespace {

// Candidates of one place that are tried with one subject: what is more has to
// have the right name and the right chip, and is nobody's honest folder.
constexpr size_t kMostTried = 8;

}  // namespace

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

}  // namespace verifier
