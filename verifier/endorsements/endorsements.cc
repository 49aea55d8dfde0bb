// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/endorsements.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sev/tcb.h"
#include "verifier/endorsements/split.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

// AMD has issued some twenty issuers and lists; of leaves a fleet has as many
// as chips, times its firmware versions.
constexpr size_t kMostIssuers = 256;
constexpr size_t kMostLeaves = 16 * 1024;

constexpr char kLeafPlace[] = "VCEK or VLEK";

absl::Status Malformed(std::string_view detail) {
  return Error(kCertificateMalformed, absl::StatusCode::kInvalidArgument,
               detail);
}

absl::Status TooMany(std::string_view name, size_t most,
                     std::string_view what) {
  return Error(kCertificateMalformed, absl::StatusCode::kResourceExhausted,
               absl::StrCat(name, ": more than ", most, " ", what));
}

// A file that can only be a table: it starts with a known GUID or with the
// terminating one, where certificates have a SEQUENCE or PEM's dashes.
bool LooksLikeTable(base::Bytes bytes) {
  if (bytes.size() < sev::kCertTableEntrySize) return false;
  const base::Bytes guid = bytes.first(sizeof(sev::Guid));
  for (const sev::Guid& known : {sev::kGuidVcek, sev::kGuidVlek, sev::kGuidAsk,
                                 sev::kGuidArk, sev::kGuidCrl}) {
    if (base::Equal(guid, known)) return true;
  }
  return base::AllZero(guid);
}

bool NamesAsIssuer(const Certificate& subject, const Certificate& issuer) {
  return subject.NamesAsIssuer(issuer);
}
bool NamesAsIssuer(const Crl& list, const Certificate& issuer) {
  return X509_NAME_cmp(X509_CRL_get_issuer(list.crl()), issuer.subject()) == 0;
}

void Keep(absl::Status& first, absl::Status status) {
  if (first.ok()) first = std::move(status);
}

}  // namespace

std::string_view KindOf(const Certificate& certificate) {
  const std::string subject = certificate.SubjectName();
  if (subject.starts_with("ARK-")) return "ARK";
  if (subject == "SEV-VCEK") return "VCEK";
  if (subject == "SEV-VLEK") return "VLEK";
  if (subject.starts_with("SEV-VLEK-")) return "ASVK";
  if (subject.starts_with("SEV-")) return "ASK";
  return "";
}

bool IsOfChip(const LeafFacts& facts, const sev::UnverifiedReport& report) {
  if (facts.kind == SignerKind::kVlek) {
    return report.signing_key() == sev::SigningKey::kVlek;
  }
  const size_t size = facts.hardware_id.size();
  const base::Bytes chip = report.chip_id();
  return report.signing_key() == sev::SigningKey::kVcek && size > 0 &&
         size <= chip.size() &&
         base::Equal(chip.first(size), facts.hardware_id);
}

bool IsOfTcb(const LeafFacts& facts, const sev::UnverifiedReport& report) {
  // A product to come: its parts cannot be told apart, and its reason is named.
  if (!facts.product) return !facts.product_name.empty();
  const sev::Tcb tcb = sev::DecodeTcb(report.reported_tcb(), *facts.product);
  return facts.boot_loader == tcb.boot_loader && facts.tee == tcb.tee &&
         facts.snp == tcb.snp && facts.microcode == tcb.microcode &&
         facts.fmc.value_or(0) == tcb.fmc;
}

absl::Status Endorsements::Add(base::Bytes bytes, const Source& source) {
  absl::Status status;
  if (!LooksLikeTable(bytes)) {
    status = AddParts(bytes, source);
  } else if (const auto table = sev::ParseCertTable(bytes); !table.ok()) {
    status = FromBase(table.status(), source.name);
  } else if (source.claim == Claim::kStored) {
    for (const base::Bytes part :
         {table->vcek, table->vlek, table->ask, table->ark, table->crl}) {
      if (!part.empty()) Keep(status, AddParts(part, source));
    }
  } else {
    AddTable(*table, source.name);
  }
  if (!status.ok() && source.claim == Claim::kGiven) {
    unusable_.push_back(FindingFrom(status));
  }
  return status;
}

absl::Status Endorsements::AddParts(base::Bytes bytes, const Source& source) {
  const auto parts = SplitCertificates(bytes);
  if (!parts.ok()) {
    return Malformed(absl::StrCat(source.name, ": ", parts.status().message()));
  }
  absl::Status status;
  for (const auto& der : parts->certificates) {
    Keep(status, AddCertificate(der, source));
  }
  for (const auto& der : parts->crls) Keep(status, AddList(der, source));
  return status;
}

absl::Status Endorsements::AddCertificate(base::Bytes der,
                                          const Source& source) {
  const CertificatePtr parsed = Parse(der);
  if (parsed == nullptr) return Malformed(source.name);
  const Certificate& certificate = parsed->certificate;
  if (KindOf(certificate).empty()) {
    return Error(kIntermediateUnknown, absl::StatusCode::kInvalidArgument,
                 absl::StrCat(source.name, ": subject \"",
                              certificate.SubjectName(), "\""));
  }
  const bool is_leaf = parsed->facts.kind.has_value();
  if (is_leaf && source.claim == Claim::kGiven) {
    for (const Held& other : leaves_) {
      if (other.source.claim == Claim::kGiven &&
          other.certificate->certificate.sha256() != certificate.sha256()) {
        return Error(kCertificateDuplicate, absl::StatusCode::kInvalidArgument,
                     absl::StrCat(source.name, ": a second VCEK or VLEK"));
      }
    }
  }
  if (!Note(certificate.sha256(), source.claim)) return absl::OkStatus();
  if (is_leaf) {
    if (leaves_.size() >= kMostLeaves) {
      return TooMany(source.name, kMostLeaves, "VCEKs and VLEKs");
    }
    by_chip_.emplace(parsed->facts.hardware_id, leaves_.size());
    leaves_.push_back({.certificate = parsed, .source = source});
    return absl::OkStatus();
  }
  if (issuers_.size() >= kMostIssuers) {
    return TooMany(source.name, kMostIssuers, "certificates of issuers");
  }
  issuers_.push_back({.certificate = parsed, .source = source});
  FindSigners(certificate);
  return absl::OkStatus();
}

absl::Status Endorsements::AddList(base::Bytes der, const Source& source) {
  const ListPtr parsed = ParseList(der);
  if (parsed == nullptr) {
    const Finding why = Crl::WhyNot(der);
    return Error(why.reason, absl::StrCat(source.name, ": ", why.detail));
  }
  if (!Note(parsed->crl.sha256(), source.claim)) return absl::OkStatus();
  if (lists_.size() >= kMostIssuers) {
    return TooMany(source.name, kMostIssuers, "revocation lists");
  }
  lists_.push_back({.list = parsed, .source = source});
  FindSigners(parsed->crl);
  return absl::OkStatus();
}

void Endorsements::AddPlaced(const CertificateSet& set,
                             const std::string& name) {
  placed_name_ = name;
  Fill(placed_.leaf, set.leaf, kLeafPlace);
  Fill(placed_.intermediate, set.intermediate, "ASK or ASVK");
  Fill(placed_.root, set.root, "ARK");
  Fill(placed_.list, set.crl);
}

void Endorsements::AddTable(const sev::CertTable& table,
                            const std::string& name) {
  AddPlaced({.intermediate = table.ask, .root = table.ark, .crl = table.crl},
            name);
  Fill(placed_.vcek, table.vcek, kLeafPlace);
  Fill(placed_.vlek, table.vlek, kLeafPlace);
}

void Endorsements::Fill(Slot<CertificatePtr>& slot, base::Bytes bytes,
                        const char* place) {
  if (bytes.empty() || slot.filled()) return;
  slot.value = Parse(bytes);
  if (slot.value == nullptr) slot.fault = {kCertificateMalformed, place};
}

void Endorsements::Fill(Slot<ListPtr>& slot, base::Bytes bytes) {
  if (bytes.empty() || slot.filled()) return;
  slot.value = ParseList(bytes);
  if (slot.value == nullptr) slot.fault = Crl::WhyNot(bytes);
}

CertificatePtr Endorsements::Parse(base::Bytes bytes) const {
  const ossl::Digest256 received = ossl::Sha256::Of(bytes);
  if (known_ != nullptr) {
    if (CertificatePtr found = known_->Find(received)) return found;
  }
  auto certificate = Certificate::Parse(bytes);
  if (!certificate) return nullptr;
  LeafFacts facts = ReadLeaf(*certificate);
  return std::make_shared<const KnownCertificate>(
      KnownCertificate{.certificate = *std::move(certificate),
                       .facts = std::move(facts),
                       .received = received});
}

ListPtr Endorsements::ParseList(base::Bytes bytes) const {
  const ossl::Digest256 received = ossl::Sha256::Of(bytes);
  if (known_ != nullptr) {
    if (ListPtr found = known_->FindList(received)) return found;
  }
  auto crl = Crl::Parse(bytes);
  if (!crl) return nullptr;
  return std::make_shared<const KnownList>(
      KnownList{.crl = *std::move(crl), .received = received});
}

bool Endorsements::Note(const ossl::Digest256& sha256, Claim claim) {
  if (base_ != nullptr && base_->seen_.contains({claim, sha256})) return false;
  return seen_.insert({claim, sha256}).second;
}

void Endorsements::FindSigners(const Certificate& added) {
  const auto note = [this](const auto& subject, const Certificate& issuer) {
    if (NamesAsIssuer(subject, issuer)) {
      signed_[{subject.sha256(), issuer.sha256()}] =
          IsSignedBy(subject, issuer);
    }
  };
  for (const Endorsements* at = this; at != nullptr; at = at->base_.get()) {
    for (const Held& held : at->issuers_) {
      const Certificate& other = held.certificate->certificate;
      note(added, other);
      if (other.sha256() != added.sha256()) note(other, added);
    }
    for (const HeldList& held : at->lists_) note(held.list->crl, added);
  }
}

void Endorsements::FindSigners(const Crl& added) {
  for (const Endorsements* at = this; at != nullptr; at = at->base_.get()) {
    for (const Held& held : at->issuers_) {
      const Certificate& issuer = held.certificate->certificate;
      if (NamesAsIssuer(added, issuer)) {
        signed_[{added.sha256(), issuer.sha256()}] = IsSignedBy(added, issuer);
      }
    }
  }
}

std::optional<bool> Endorsements::IsSigned(
    const ossl::Digest256& subject, const ossl::Digest256& issuer) const {
  for (const Endorsements* at = this; at != nullptr; at = at->base_.get()) {
    const auto found = at->signed_.find({subject, issuer});
    if (found != at->signed_.end()) return found->second;
  }
  if (known_ != nullptr && known_->IsSigned(subject, issuer)) return true;
  return std::nullopt;
}

ossl::Digest256 Endorsements::Fingerprint() const {
  std::set<ossl::Digest256> digests;
  for (const auto& [claim, sha256] : seen_) digests.insert(sha256);
  ossl::Sha256 hash;
  for (const ossl::Digest256& digest : digests) hash.Update(digest);
  return hash.Finish();
}

}  // namespace verifier
