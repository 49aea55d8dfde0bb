// SPDX-License-Identifier: Apache-2.0
#include "verifier/kds/fetch.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hosted/files.h"
#include "hosted/status.h"
#include "verifier/endorsements/import.h"
#include "verifier/endorsements/report_signature.h"
#include "verifier/endorsements/split.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

using Der = std::vector<uint8_t>;

// The product that a chain's names end in: "ARK-Milan", "SEV-VLEK-Milan".
std::optional<sev::Product> ProductOfIssuer(const Certificate& certificate) {
  const std::string name = certificate.IssuerName();
  return sev::ProductOfName(std::string_view(name).substr(name.rfind('-') + 1));
}

class Fetcher {
 public:
  Fetcher(const Kds& kds, const EndorsementQuery& query,
          const FetchOptions& options, Endorsements& endorsements)
      : kds_(kds),
        query_(query),
        options_(options),
        endorsements_(endorsements) {}

  absl::Status Run() {
    // What it revokes is not at hand, as far as this question goes.
    absl::Status status = FetchList();
    const Selection chosen = Chosen();
    if (status.ok() && chosen.leaf == nullptr && !HasVcek()) {
      Note(Error(kKdsNoChip, ""));
      return absl::OkStatus();
    }
    if (status.ok() && LacksLeaf(chosen)) status = FetchLeafAndChain();
    if (status.ok()) {
      status = FetchChainOfLeaf();
      if (!status.ok()) KeepForTheNextTime();
    }
    if (status.ok() && !vcek_.empty()) status = KeepVcek();
    if (status.ok()) status = FetchList();
    return status;
  }

 private:
  void Note(const absl::Status& status) const {
    if (options_.note) options_.note(status.message());
  }
  Selection Chosen() const { return endorsements_.For(query_); }
  bool IsPinned(const CertificatePtr& root) const {
    return root != nullptr &&
           std::ranges::find(options_.pins, root->certificate.sha256()) !=
               options_.pins.end();
  }
  // An intermediate that signed the leaf, and a root that signed it; in date,
  // and not revoked by the newest list that is at hand.
  bool HasChain(const Selection& chosen) const {
    if (chosen.leaf == nullptr || chosen.intermediate == nullptr ||
        chosen.root == nullptr) {
      return false;
    }
    const Certificate& leaf = chosen.leaf->certificate;
    const Certificate& intermediate = chosen.intermediate->certificate;
    Findings findings;
    CheckSignedBy(leaf, intermediate, "", findings);
    CheckSignedBy(intermediate, chosen.root->certificate, "", findings);
    CheckValidity(intermediate, query_.at, "", findings);
    return findings.empty() && !IsRevokedChain(chosen);
  }

  bool HasVcek() const {
    return query_.report->signing_key() == sev::SigningKey::kVcek &&
           !base::AllZero(query_.report->chip_id());
  }

  // What somebody gave, or sent along, is judged as it is. What is stored
  // counts if it is what signed the report, under a chain that is good.
  bool LacksLeaf(const Selection& chosen) const {
    if (chosen.leaf == nullptr) return true;
    const bool is_stored = std::ranges::any_of(
        endorsements_.leaves(), [&](const Endorsements::Held& held) {
          return held.source.claim == Claim::kStored &&
                 held.certificate == chosen.leaf;
        });
    if (!is_stored || !HasVcek()) return false;
    Findings findings;
    CheckValidity(chosen.leaf->certificate, query_.at, "", findings);
    return !findings.empty() || IsRevokedChain(chosen) ||
           !ReportSignatureVerifies(*query_.report, chosen.leaf->certificate);
  }
  // AMD certifies a chip's key again under the ASK that replaces a revoked one.
  static bool IsRevokedChain(const Selection& chosen) {
    if (chosen.intermediate == nullptr || chosen.list == nullptr) return false;
    Findings findings;
    CheckNotRevoked(chosen.intermediate->certificate, chosen.list->crl, "",
                    findings);
    return !findings.empty();
  }

  absl::Status FetchLeafAndChain() {
    std::optional<sev::Product> product = options_.product;
    const auto cpuid = query_.report->cpuid();
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
      status = HasIssuerFor(candidate) ? absl::OkStatus()
                                       : FetchChain(candidate, "vcek");
      if (status.ok()) status = FetchVcek(candidate);
      if (!hosted::Is(status, kKdsNotFound)) return status;
    }
    return status;
  }

  absl::Status FetchVcek(sev::Product product) {
    const auto answer = kds_.Fetch(VcekPath(product, query_.report->chip_id(),
                                            query_.report->reported_tcb()));
    if (!answer.ok()) return answer.status();
    const auto parts = SplitCertificates(*answer);
    const auto certificate = Certificate::Parse(*answer);
    if (!certificate || !parts.ok() || !ReadLeaf(*certificate).kind) {
      return Error(kKdsNotCertificates, "VCEK");
    }
    vcek_ = parts->certificates.front();
    return endorsements_.Add(vcek_, {.name = "the key service"});
  }

  // An ASK of the product, in date and not revoked, under an accepted root.
  bool HasIssuerFor(sev::Product product) const {
    Import folder = Vouchers();
    const std::string name = absl::StrCat("SEV-", sev::NameOf(product));
    return std::ranges::any_of(
        endorsements_.issuers(), [&](const Endorsements::Held& held) {
          const Certificate& certificate = held.certificate->certificate;
          return certificate.SubjectName() == name &&
                 folder.FaultOf(certificate, query_.at).empty();
        });
  }

  absl::Status FetchChainOfLeaf() {
    const Selection chosen = Chosen();
    if (chosen.leaf == nullptr || HasChain(chosen)) return absl::OkStatus();
    const Certificate& leaf = chosen.leaf->certificate;
    const auto product = ProductOfIssuer(leaf);
    if (!product) return absl::OkStatus();  // Judged with the rest.
    const bool vlek = leaf.IssuerName().starts_with("SEV-VLEK-");
    return FetchChain(*product, vlek ? "vlek" : "vcek");
  }

  // Once: a second time it would be the same.
  absl::Status FetchChain(sev::Product product, std::string_view kind) {
    const std::string path = ChainPath(product, kind);
    if (path == fetched_chain_) return absl::OkStatus();
    fetched_chain_ = path;
    const auto chain = kds_.Fetch(path);
    if (!chain.ok()) return chain.status();
    if (!endorsements_.Add(*chain, {.name = "the key service"}).ok()) {
      return Error(kKdsNotCertificates, "cert_chain");
    }
    return Keep(*chain);
  }

  absl::Status FetchList() {
    if (!options_.list_at || has_asked_for_list_) return absl::OkStatus();
    const Selection chosen = Chosen();
    if (chosen.leaf == nullptr || HasCurrentList(chosen)) {
      return absl::OkStatus();
    }
    const auto product = ProductOfIssuer(chosen.leaf->certificate);
    if (!product) return absl::OkStatus();
    has_asked_for_list_ = true;
    // Without a list the report is judged as without a list.
    const auto list = kds_.Fetch(CrlPath(*product));
    if (!list.ok()) {
      Note(list.status());
      return absl::OkStatus();
    }
    const auto parts = SplitCertificates(*list);
    if (!parts.ok() || parts->crls.size() != 1) {
      Note(Error(kKdsNotCertificates, "crl"));
      return absl::OkStatus();
    }
    const Der& der = parts->crls.front();
    const absl::Status added =
        endorsements_.Add(der, {.name = "the key service"});
    if (!added.ok()) {
      Note(added);
      return absl::OkStatus();
    }
    return Keep(der);
  }

  bool HasCurrentList(const Selection& chosen) const {
    if (chosen.list == nullptr || chosen.root == nullptr) return false;
    Findings findings;
    CheckCrlSignedBy(chosen.list->crl, chosen.root->certificate, findings);
    CheckCrlCurrent(chosen.list->crl, *options_.list_at, findings);
    return findings.empty();
  }

  // With everything that is at hand.
  Import Vouchers() const {
    Import vouchers(options_.pins);
    for (const Endorsements::Held& held : endorsements_.issuers()) {
      vouchers.AddKnown(held.certificate->certificate.Der(), held.source.name);
    }
    for (const Endorsements::HeldList& held : endorsements_.lists()) {
      vouchers.AddKnown(held.list->crl.Der(), held.source.name);
    }
    const CertificatePtr root = Chosen().root;
    if (root != nullptr) vouchers.AddKnown(root->certificate.Der(), "");
    return vouchers;
  }

  // Under the name of the root that vouches for it.
  absl::Status Keep(base::Bytes fetched) {
    if (options_.keep_in.empty()) return absl::OkStatus();
    Import import(options_.pins);
    absl::Status good = import.Add(fetched, "the key service");
    const CertificatePtr root = Chosen().root;
    if (root != nullptr) import.AddKnown(root->certificate.Der(), "");
    if (good.ok()) good = import.AddKnownFolder(options_.keep_in);
    // What is kept is for today, whatever day the report is judged for.
    const time_t now = time(nullptr);
    if (good.ok()) good = import.Check(now);
    if (!good.ok()) {
      Note(Error(kKdsNotKept, good.message()));
      return absl::OkStatus();
    }
    const auto outcome = import.Write(options_.keep_in, now);
    if (!outcome.ok()) return outcome.status();
    for (const std::string& path : outcome->revoked) {
      if (options_.note) options_.note(absl::StrCat("revoked: ", path));
    }
    return absl::OkStatus();
  }

  // The service limits how often a chip's VCEK may be asked for. One that
  // signed the report is not lost because its chain was refused: it changes no
  // verdict before its chain is there, too.
  void KeepForTheNextTime() const {
    const auto certificate = Certificate::Parse(vcek_);
    if (options_.keep_in.empty() || !certificate) return;
    const LeafFacts facts = ReadLeaf(*certificate);
    std::error_code error;
    if (!IsOfChip(facts, *query_.report) || !IsOfTcb(facts, *query_.report) ||
        !ReportSignatureVerifies(*query_.report, *certificate) ||
        std::filesystem::exists(VcekFile(), error)) {
      return;
    }
    const absl::Status written = WriteVcek();
    if (!written.ok()) Note(written);
  }

  std::string VcekFile() const {
    return absl::StrFormat("%s/vcek-%s-%016x.der", options_.keep_in,
                           ossl::Hex(query_.report->chip_id()),
                           query_.report->reported_tcb());
  }
  absl::Status WriteVcek() const {
    std::error_code error;
    std::filesystem::create_directories(options_.keep_in, error);
    return hosted::ReplaceFile(VcekFile(), vcek_, hosted::kPublicFile);
  }

  absl::Status KeepVcek() const {
    const Selection chosen = Chosen();
    const auto certificate = Certificate::Parse(vcek_);
    const bool is_chosen =
        chosen.leaf != nullptr && certificate &&
        chosen.leaf->certificate.sha256() == certificate->sha256();
    if (!is_chosen || !HasChain(chosen) || !IsPinned(chosen.root) ||
        !IsOfChip(chosen.leaf->facts, *query_.report) ||
        !IsOfTcb(chosen.leaf->facts, *query_.report)) {
      Note(Error(kKdsNotKept, "VCEK"));
      return absl::OkStatus();
    }
    return options_.keep_in.empty() ? absl::OkStatus() : WriteVcek();
  }

  const Kds& kds_;
  const EndorsementQuery& query_;
  const FetchOptions& options_;
  Endorsements& endorsements_;
  Der vcek_;
  std::string fetched_chain_;
  bool has_asked_for_list_ = false;
};

}  // namespace

absl::Status FetchMissing(const Kds& kds, const EndorsementQuery& query,
                          const FetchOptions& options,
                          Endorsements& endorsements) {
  return Fetcher(kds, query, options, endorsements).Run();
}

}  // namespace verifier
