// SPDX-License-Identifier: Apache-2.0
#include "cli/certificate_source.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/error.h"
#include "cli/files.h"
#include "cli/reasons.h"
#include "hosted/status.h"
#include "sev/cert_table.h"
#include "sev/tcb.h"
#include "verifier/evidence/cert_table_places.h"
#include "verifier/evidence/certificate.h"
#include "verifier/evidence/split.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using verifier::Certificate;

// Names that AMD gives its authorities.
constexpr std::string_view kRootPrefix = "ARK-";
constexpr std::string_view kVlekPrefix = "SEV-VLEK-";

bool IsOfChip(const verifier::LeafFacts& facts,
              const sev::UnverifiedReport& report) {
  if (facts.kind == verifier::SignerKind::kVlek) {
    return report.signing_key() == sev::SigningKey::kVlek;
  }
  const size_t size = facts.hardware_id.size();
  const base::Bytes chip = report.chip_id();
  return report.signing_key() == sev::SigningKey::kVcek && size > 0 &&
         size <= chip.size() &&
         base::Equal(chip.first(size), facts.hardware_id);
}

bool IsOfTcb(const verifier::LeafFacts& facts,
             const sev::UnverifiedReport& report) {
  if (!facts.product) return false;
  const sev::Tcb tcb = sev::DecodeTcb(report.reported_tcb(), *facts.product);
  return facts.boot_loader == tcb.boot_loader && facts.tee == tcb.tee &&
         facts.snp == tcb.snp && facts.microcode == tcb.microcode &&
         facts.fmc.value_or(0) == tcb.fmc;
}

bool IsPresent(base::Bytes bytes) { return !bytes.empty(); }

// The product that a chain's names end in: "ARK-Milan", "SEV-VLEK-Milan".
std::optional<sev::Product> ProductOfIssuer(const Certificate& certificate) {
  const std::string name = certificate.IssuerName();
  return sev::ProductOfName(std::string_view(name).substr(name.rfind('-') + 1));
}

bool IsLeaf(base::Bytes bytes) {
  const auto certificate = Certificate::Parse(bytes);
  return certificate && verifier::ReadLeaf(*certificate).kind.has_value();
}

// The places of `set` that are empty, from `more`.
void Fill(verifier::CertificateSet& set, const verifier::CertificateSet& more) {
  const std::pair<base::Bytes&, base::Bytes> places[] = {
      {set.leaf, more.leaf},
      {set.intermediate, more.intermediate},
      {set.root, more.root},
      {set.crl, more.crl}};
  for (const auto& [place, other] : places) {
    if (place.empty()) place = other;
  }
}

}  // namespace

absl::Status CertificateSource::AddFile(const std::string& path) {
  const auto bytes = ReadInput(path);
  if (!bytes.ok()) return bytes.status();
  const bool is_table = verifier::LooksLikeCertTable(*bytes);
  const absl::Status added =
      is_table ? AddTable(*bytes, path) : bundle_.Add(*bytes, path);
  if (!added.ok()) {
    refused_.push_back(verifier::FindingFrom(added));
    return absl::OkStatus();
  }
  if (!is_table) KeepParts(*bytes);
  return absl::OkStatus();
}

absl::Status CertificateSource::AddCrl(const std::string& path) {
  const auto bytes = ReadInput(path);
  if (!bytes.ok()) return bytes.status();
  const auto parts = verifier::SplitCertificates(*bytes);
  if (!parts.ok() || parts->crls.empty()) {
    return Error(kNotCertificates, absl::StrCat(path, ": no revocation list"));
  }
  return AddFile(path);
}

absl::Status CertificateSource::AddTable(base::Bytes bytes,
                                         const std::string& name) {
  const auto table = sev::ParseCertTable(bytes);
  if (!table.ok()) return verifier::FromBase(table.status(), name);
  tables_.emplace_back(bytes.begin(), bytes.end());
  return absl::OkStatus();
}

// The bundle gives only what fits the leaf by name; what the user names must be
// judged even if it does not.
void CertificateSource::KeepParts(base::Bytes bytes) {
  const auto parts = verifier::SplitCertificates(bytes);
  if (!parts.ok()) return;  // Not of a file that the bundle took.
  for (const Der& der : parts->certificates) {
    const auto certificate = Certificate::Parse(der);
    if (!certificate) continue;
    const std::string name = certificate->SubjectName();
    if (name.starts_with(kRootPrefix)) {
      roots_.push_back(der);
    } else if (!verifier::ReadLeaf(*certificate).kind) {
      intermediates_.push_back(der);
    }
  }
  crls_.insert(crls_.end(), parts->crls.begin(), parts->crls.end());
}

absl::Status CertificateSource::AddFolder(const std::string& folder) {
  if (folder_.empty()) folder_ = folder;
  if (!Exists(folder)) return absl::OkStatus();
  const auto paths = CertificateFiles(folder);
  if (!paths.ok()) return paths.status();
  for (const std::string& path : *paths) {
    const auto bytes = ReadInput(path);
    const absl::Status added =
        bytes.ok() ? AddToStore(*bytes, path) : bytes.status();
    if (!added.ok()) note_(added.message());
  }
  return absl::OkStatus();
}

absl::Status CertificateSource::AddToStore(base::Bytes bytes,
                                           const std::string& name) {
  const auto parts = verifier::SplitCertificates(bytes);
  if (!parts.ok()) return Error(kNotCertificates, name);
  for (const Der& der : parts->certificates) {
    const auto certificate = Certificate::Parse(der);
    if (!certificate) return Error(kNotCertificates, name);
    verifier::LeafFacts facts = verifier::ReadLeaf(*certificate);
    if (facts.kind) leaves_.push_back({der, std::move(facts)});
  }
  return authorities_.Add(bytes, name);
}

// By content: names of files are for people.
const CertificateSource::Leaf* CertificateSource::StoredLeaf(
    const sev::UnverifiedReport& report) const {
  for (const Leaf& leaf : leaves_) {
    if (IsOfChip(leaf.facts, report) && IsOfTcb(leaf.facts, report)) {
      return &leaf;
    }
  }
  return nullptr;
}

// Each slot in its place, whatever is in it.
verifier::CertificateSet CertificateSource::TablePlaces(
    const sev::UnverifiedReport* report) const {
  verifier::CertificateSet set;
  for (const Der& bytes : tables_) {
    const auto table = sev::ParseCertTable(bytes);
    if (!table.ok()) continue;
    Fill(set, verifier::PlacesOf(
                  *table, report == nullptr ? base::Bytes() : report->bytes()));
  }
  return set;
}

verifier::CertificateSet CertificateSource::Set(
    const sev::UnverifiedReport* report) {
  const verifier::CertificateSet tables = TablePlaces(report);
  if (!bundle_.has_leaf()) {
    base::Bytes leaf = tables.leaf;
    if (leaf.empty() && report != nullptr) {
      const Leaf* stored = StoredLeaf(*report);
      // The only one there is better than none: it says what does not fit.
      if (stored == nullptr && leaves_.size() == 1) stored = &leaves_.front();
      if (stored != nullptr) leaf = stored->der;
    }
    // So that of several files the one that signed it is taken. What is no leaf
    // is judged in the leaf's place.
    if (IsLeaf(leaf)) {
      const absl::Status added = bundle_.Add(leaf, "the leaf");
      if (!added.ok()) note_(added.message());
    }
  }
  verifier::CertificateSet set = bundle_.Set();
  const struct {
    base::Bytes& place;
    const std::vector<Der>& given;
  } rows[] = {
      {set.intermediate, intermediates_}, {set.root, roots_}, {set.crl, crls_}};
  for (const auto& [place, given] : rows) {
    if (place.empty() && !given.empty()) place = given.front();
  }
  Fill(set, tables);
  NoteUnused(set);
  return set;
}

void CertificateSource::NoteUnused(const verifier::CertificateSet& set) const {
  for (const auto* given : {&intermediates_, &roots_}) {
    for (const Der& der : *given) {
      if (base::Equal(der, set.intermediate) || base::Equal(der, set.root)) {
        continue;
      }
      const auto certificate = Certificate::Parse(der);
      note_(absl::StrCat("not used: the certificate of ",
                         certificate ? certificate->SubjectName() : ""));
    }
  }
}

void CertificateSource::JudgeRefused(verifier::Appraisal& appraisal) const {
  if (refused_.empty()) return;
  appraisal.outcomes[static_cast<size_t>(verifier::Check::kCertificatesParse)] =
      verifier::Outcome::kFail;
  appraisal.findings.insert(appraisal.findings.end(), refused_.begin(),
                            refused_.end());
  appraisal.verdict = verifier::Verdict::kInvalid;
}

// With every accepted root that is at hand.
AuthorityImport CertificateSource::Vouchers(base::Bytes root) const {
  AuthorityImport vouchers(pins_);
  vouchers.AddKnown(root);
  for (const Certificate& known : authorities_.certificates()) {
    vouchers.AddKnown(known);
  }
  return vouchers;
}

// Anyone can answer in the key service's place: what it sent is kept only if it
// proves itself, under the name of the root that vouches for it.
absl::Status CertificateSource::SaveAuthorities(base::Bytes fetched,
                                                base::Bytes root) {
  if (folder_.empty()) return absl::OkStatus();
  AuthorityImport import = Vouchers(root);
  absl::Status good = import.Add(fetched, "the key service");
  if (good.ok()) good = import.Check(time(nullptr));
  if (!good.ok()) {
    note_(Error(kKdsNotKept, good.message()).message());
    return absl::OkStatus();
  }
  return import.Write(folder_).status();
}

absl::Status CertificateSource::SaveVcek(base::Bytes der,
                                         const sev::UnverifiedReport& report) {
  if (folder_.empty()) return absl::OkStatus();
  const auto leaf = Certificate::Parse(der);
  if (!leaf) return absl::OkStatus();
  const verifier::CertificateSet set = Set(&report);
  std::vector<Certificate> issuers;
  for (const Certificate* issuer : authorities_.IssuersOf(*leaf)) {
    issuers.push_back(*issuer);
  }
  if (const auto given = Certificate::Parse(set.intermediate)) {
    issuers.push_back(*given);
  }
  const AuthorityImport vouchers = Vouchers(set.root);
  const bool proven = std::ranges::any_of(issuers, [&](const auto& issuer) {
    verifier::Findings findings;
    CheckSignedBy(*leaf, issuer, "VCEK", findings);
    return findings.empty() && vouchers.VouchFor(issuer);
  });
  const verifier::LeafFacts facts = verifier::ReadLeaf(*leaf);
  if (!proven || !IsOfChip(facts, report) || !IsOfTcb(facts, report)) {
    note_(Error(kKdsNotKept, "VCEK").message());
    return absl::OkStatus();
  }
  return WriteOutput(absl::StrFormat("%s/vcek-%s-%016x.der", folder_,
                                     verifier::ossl::Hex(report.chip_id()),
                                     report.reported_tcb()),
                     der);
}

absl::Status CertificateSource::Fetch(const Kds& kds,
                                      const sev::UnverifiedReport& report,
                                      std::optional<sev::Product> product,
                                      std::optional<time_t> crl_at) {
  Der vcek;
  if (!bundle_.has_leaf() && TablePlaces(&report).leaf.empty() &&
      StoredLeaf(report) == nullptr) {
    if (report.signing_key() != sev::SigningKey::kVcek ||
        base::AllZero(report.chip_id())) {
      note_(Error(kKdsNoChip, "").message());
      return absl::OkStatus();
    }
    auto fetched = FetchVcek(kds, report, product);
    if (!fetched.ok()) return fetched.status();
    vcek = *std::move(fetched);
  }
  const absl::Status status = FetchAuthorities(kds, Set(&report), crl_at);
  if (!status.ok() || vcek.empty()) return status;
  return SaveVcek(vcek, report);
}

absl::StatusOr<std::vector<uint8_t>> CertificateSource::FetchVcek(
    const Kds& kds, const sev::UnverifiedReport& report,
    std::optional<sev::Product> product) {
  const auto cpuid = report.cpuid();
  if (!product && cpuid) {
    product = sev::ProductOf(*cpuid);
    if (!product) return Error(kKdsNoProduct, "an unknown processor");
  }
  // Version 2 does not say: whoever knows the chip.
  std::vector<sev::Product> candidates(std::begin(sev::kProducts),
                                       std::end(sev::kProducts));
  if (product) candidates = {*product};
  absl::Status status;
  for (const sev::Product candidate : candidates) {
    const auto answer =
        kds.Fetch(VcekPath(candidate, report.chip_id(), report.reported_tcb()));
    status = answer.status();
    if (hosted::Is(status, kKdsNotFound)) continue;
    if (!status.ok()) return status;
    const auto certificate = Certificate::Parse(*answer);
    const auto parts = verifier::SplitCertificates(*answer);
    if (!certificate || !parts.ok() || !verifier::ReadLeaf(*certificate).kind) {
      return Error(kKdsNotCertificates, "VCEK");
    }
    const Der& der = parts->certificates.front();
    status = bundle_.Add(der, "the key service's VCEK");
    if (!status.ok()) return status;
    return der;
  }
  return status;
}

bool CertificateSource::HasCurrentCrl(sev::Product product, time_t at) const {
  const std::string root_name = absl::StrCat(kRootPrefix, sev::NameOf(product));
  for (const Certificate& root : authorities_.certificates()) {
    if (root.SubjectName() != root_name) continue;
    const verifier::Crl* crl = authorities_.CrlOf(root);
    if (crl != nullptr && crl->next_update() > at) return true;
  }
  return false;
}

absl::Status CertificateSource::FetchAuthorities(
    const Kds& kds, const verifier::CertificateSet& set,
    std::optional<time_t> crl_at) {
  const auto certificate = Certificate::Parse(set.leaf);
  if (!certificate) return absl::OkStatus();  // Judged with the rest.
  const auto product = ProductOfIssuer(*certificate);
  if (!product) return absl::OkStatus();
  const bool vlek = certificate->IssuerName().starts_with(kVlekPrefix);
  const bool have_chain =
      (IsPresent(set.intermediate) && IsPresent(set.root)) ||
      !authorities_.IssuersOf(*certificate).empty();
  if (!have_chain) {
    const auto chain = kds.Fetch(ChainPath(*product, vlek ? "vlek" : "vcek"));
    if (!chain.ok()) return chain.status();
    if (!AddToStore(*chain, "cert_chain").ok()) {
      return Error(kKdsNotCertificates, "cert_chain");
    }
    const absl::Status saved = SaveAuthorities(*chain, set.root);
    if (!saved.ok()) return saved;
  }
  if (!crl_at || IsPresent(set.crl) || HasCurrentCrl(*product, *crl_at)) {
    return absl::OkStatus();
  }
  const auto crl = kds.Fetch(CrlPath(*product));
  if (!crl.ok()) {
    // Without a list the report is judged as without a list.
    note_(crl.status().message());
    return absl::OkStatus();
  }
  const auto parts = verifier::SplitCertificates(*crl);
  if (!parts.ok() || parts->crls.size() != 1) {
    note_(Error(kKdsNotCertificates, "crl").message());
    return absl::OkStatus();
  }
  const absl::Status added = AddToStore(parts->crls.front(), "crl");
  if (!added.ok()) return added;
  return SaveAuthorities(parts->crls.front(), set.root);
}

}  // namespace cli
