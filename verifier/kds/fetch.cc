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
#include "verifier/endorsements/split.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr size_t kMaxFile = 256 * 1024;
constexpr size_t kMaxFiles = 16 * 1024;

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
    const bool lacks_leaf = Chosen().leaf == nullptr;
    if (lacks_leaf && !HasVcek()) {
      Note(Error(kKdsNoChip, ""));
      return absl::OkStatus();
    }
    absl::Status status = lacks_leaf ? FetchLeafAndChain() : absl::OkStatus();
    if (status.ok()) status = FetchChainOfLeaf();
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
  // An intermediate that signed the leaf, and a root that signed it.
  static bool HasChain(const Selection& chosen) {
    return chosen.leaf != nullptr && chosen.intermediate != nullptr &&
           chosen.root != nullptr &&
           IsSignedBy(chosen.leaf->certificate,
                      chosen.intermediate->certificate) &&
           IsSignedBy(chosen.intermediate->certificate,
                      chosen.root->certificate);
  }

  bool HasVcek() const {
    return query_.report->signing_key() == sev::SigningKey::kVcek &&
           !base::AllZero(query_.report->chip_id());
  }

  absl::Status FetchLeafAndChain() {
    std::optional<sev::Product> product = options_.product;
    const auto cpuid = query_.report->cpuid();
    if (!product && cpuid) {
      product = sev::ProductOf(*cpuid);
      if (!product) return Error(kKdsNoProduct, "an unknown processor");
    }
    if (product && !HasIssuerFor(*product)) {
      const absl::Status status = FetchChain(*product, "vcek");
      if (!status.ok()) return status;
    }
    // Version 2 does not say: whoever knows the chip.
    std::vector<sev::Product> candidates(std::begin(sev::kProducts),
                                         std::end(sev::kProducts));
    if (product) candidates = {*product};
    absl::Status status;
    for (const sev::Product candidate : candidates) {
      const auto answer = kds_.Fetch(VcekPath(
          candidate, query_.report->chip_id(), query_.report->reported_tcb()));
      status = answer.status();
      if (hosted::Is(status, kKdsNotFound)) continue;
      if (!status.ok()) return status;
      const auto parts = SplitCertificates(*answer);
      const auto certificate = Certificate::Parse(*answer);
      if (!certificate || !parts.ok() || !ReadLeaf(*certificate).kind) {
        return Error(kKdsNotCertificates, "VCEK");
      }
      vcek_ = parts->certificates.front();
      // Asked for this report: judged with it, even if it does not fit.
      endorsements_.AddPlaced({.leaf = vcek_}, "the key service");
      return absl::OkStatus();
    }
    return status;
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
    if (!options_.list_at) return absl::OkStatus();
    const Selection chosen = Chosen();
    if (chosen.leaf == nullptr || HasCurrentList(chosen)) {
      return absl::OkStatus();
    }
    const auto product = ProductOfIssuer(chosen.leaf->certificate);
    if (!product) return absl::OkStatus();
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
    const auto there = hosted::FilesBelow(options_.keep_in,
                                          hosted::kCertificateFiles, kMaxFiles);
    for (const std::string& path :
         there.ok() ? *there : std::vector<std::string>()) {
      const auto bytes = hosted::ReadRegularFile(path, kMaxFile);
      if (bytes.ok()) import.AddKnown(*bytes, path);
    }
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

  absl::Status KeepVcek() const {
    if (options_.keep_in.empty()) return absl::OkStatus();
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
    std::error_code error;
    std::filesystem::create_directories(options_.keep_in, error);
    return hosted::ReplaceFile(
        absl::StrFormat("%s/vcek-%s-%016x.der", options_.keep_in,
                        ossl::Hex(query_.report->chip_id()),
                        query_.report->reported_tcb()),
        vcek_, hosted::kPublicFile);
  }

  const Kds& kds_;
  const EndorsementQuery& query_;
  const FetchOptions& options_;
  Endorsements& endorsements_;
  Der vcek_;
  std::string fetched_chain_;
};

}  // namespace

absl::Status FetchMissing(const Kds& kds, const EndorsementQuery& query,
                          const FetchOptions& options,
                          Endorsements& endorsements) {
  return Fetcher(kds, query, options, endorsements).Run();
}

}  // namespace verifier
