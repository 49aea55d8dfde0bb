// SPDX-License-Identifier: Apache-2.0
//
// The part of Selector that says why the others do not fit.
#include <algorithm>
#include <string>
#include <utility>

#include "verifier/endorsements/report_signature.h"
#include "verifier/endorsements/selector.h"

namespace verifier {
namespace {

bool IsSame(const CertificatePtr& one, const ossl::Digest256& sha256) {
  return one != nullptr && one->certificate.sha256() == sha256;
}

}  // namespace

std::optional<Unfit> Selector::WhyNotLeaf(const KnownCertificate& leaf,
                                          const Selection& selection) {
  if (IsSame(selection.leaf, leaf.certificate.sha256())) return std::nullopt;
  if (query_.report != nullptr) {
    const bool vlek = leaf.facts.kind == SignerKind::kVlek;
    if (vlek != (query_.report->signing_key() == sev::SigningKey::kVlek)) {
      return Unfit::kAnotherKind;
    }
    if (!IsOfChip(leaf.facts, *query_.report)) return Unfit::kAnotherChip;
    if (!IsOfTcb(leaf.facts, *query_.report)) return Unfit::kAnotherTcb;
  }
  if (SignersAmong(leaf.certificate, AtHand(Place::kIntermediate)).empty()) {
    return Unfit::kNotSigned;
  }
  if (!IsCurrent(leaf.certificate)) {
    return leaf.certificate.not_before() > query_.at ? Unfit::kNotYetValid
                                                     : Unfit::kOutOfDate;
  }
  if (query_.report != nullptr &&
      !ReportSignatureVerifies(*query_.report, leaf.certificate)) {
    return Unfit::kDoesNotSign;
  }
  return Unfit::kSuperseded;
}

std::optional<Unfit> Selector::WhyNotIssuer(const Certificate& certificate,
                                            const Selection& selection) {
  const ossl::Digest256& sha256 = certificate.sha256();
  if (IsSame(selection.intermediate, sha256) ||
      IsSame(selection.root, sha256)) {
    return std::nullopt;
  }
  const bool is_root = KindOf(certificate) == "ARK";
  const CertificatePtr& subject =
      is_root ? selection.intermediate : selection.leaf;
  if (subject == nullptr || !subject->certificate.NamesAsIssuer(certificate)) {
    return Unfit::kAnotherChip;
  }
  if (!Signed(subject->certificate, certificate)) return Unfit::kDoesNotSign;
  if (is_root && !IsAccepted(certificate)) return Unfit::kNotAccepted;
  if (!is_root &&
      std::ranges::none_of(SignersAmong(certificate, AtHand(Place::kRoot)),
                           [this](const CertificatePtr& root) {
                             return IsAccepted(root->certificate);
                           })) {
    return Unfit::kNotSigned;
  }
  if (!is_root && IsRevoked(certificate, selection.list)) {
    return Unfit::kRevoked;
  }
  if (!IsCurrent(certificate)) {
    return certificate.not_before() > query_.at ? Unfit::kNotYetValid
                                                : Unfit::kOutOfDate;
  }
  return Unfit::kSuperseded;
}

std::optional<Unfit> Selector::WhyNotList(const Crl& list,
                                          const Selection& selection) {
  if (selection.list != nullptr &&
      selection.list->crl.sha256() == list.sha256()) {
    return std::nullopt;
  }
  if (selection.root == nullptr ||
      X509_NAME_cmp(X509_CRL_get_issuer(list.crl()),
                    selection.root->certificate.subject()) != 0) {
    return Unfit::kAnotherChip;
  }
  if (!Signed(list, selection.root->certificate)) return Unfit::kNotSigned;
  if (!IsIssuedBy(list, query_.at)) return Unfit::kNotYetValid;
  return Unfit::kSuperseded;
}

std::vector<PassedOver> Selector::LeftOut(const Selection& selection) {
  std::vector<PassedOver> out;
  const auto note = [&](std::optional<Unfit> why, const Source& source,
                        std::string what) {
    if (!why) return;
    out.push_back({.source = source.name,
                   .what = std::move(what),
                   .why = *why,
                   .claim = source.claim});
  };
  for (const Endorsements* at = &all_; at != nullptr; at = at->base_.get()) {
    for (const Endorsements::Held& held : at->leaves_) {
      note(WhyNotLeaf(*held.certificate, selection), held.source,
           held.certificate->certificate.SubjectName());
    }
    for (const Endorsements::Held& held : at->issuers_) {
      const Certificate& certificate = held.certificate->certificate;
      note(WhyNotIssuer(certificate, selection), held.source,
           certificate.SubjectName());
    }
    for (const Endorsements::HeldList& held : at->lists_) {
      note(WhyNotList(held.list->crl, selection), held.source, "CRL");
    }
  }
  const Endorsements::Places& placed = all_.placed_;
  const Source source = {.name = all_.placed_name_, .claim = Claim::kPlaced};
  if (PlacedLeaf() != nullptr) {
    note(WhyNotLeaf(*PlacedLeaf(), selection), source, "VCEK or VLEK");
  }
  for (const auto& slot : {placed.intermediate, placed.root}) {
    if (slot.value == nullptr) continue;
    note(WhyNotIssuer(slot.value->certificate, selection), source,
         slot.value->certificate.SubjectName());
  }
  if (placed.list.value != nullptr) {
    note(WhyNotList(placed.list.value->crl, selection), source, "CRL");
  }
  return out;
}

std::string_view TextOf(Unfit unfit) {
  switch (unfit) {
    case Unfit::kAnotherKind:
      return "of another kind of key";
    case Unfit::kAnotherChip:
      return "of another chip or chain";
    case Unfit::kAnotherTcb:
      return "of another firmware version (TCB)";
    case Unfit::kDoesNotSign:
      return "has the right name and did not sign";
    case Unfit::kNotSigned:
      return "not signed by an issuer that is at hand";
    case Unfit::kNotAccepted:
      return "a root that is not accepted";
    case Unfit::kNotYetValid:
      return "not yet valid";
    case Unfit::kOutOfDate:
      return "out of date";
    case Unfit::kRevoked:
      return "revoked";
    case Unfit::kSuperseded:
      return "another that fits is newer";
  }
  __builtin_trap();
}

}  // namespace verifier
