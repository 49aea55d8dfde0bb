// SPDX-License-Identifier: Apache-2.0
#include "cli/authority_import.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "cli/error.h"
#include "cli/files.h"
#include "cli/reasons.h"
#include "sev/product.h"
#include "verifier/evidence/endorsement.h"
#include "verifier/evidence/split.h"
#include "verifier/finding.h"

namespace cli {
namespace {

using verifier::Certificate;
using verifier::Findings;

constexpr size_t kDigestDigits = 8;
constexpr std::string_view kRootPrefix = "ARK-";

std::string TextOf(const verifier::Finding& finding) {
  return absl::StrCat(verifier::ReasonCode(finding.reason), " ",
                      cli::TextOf(finding.reason).what,
                      finding.detail.empty() ? "" : ": ", finding.detail);
}

// AMD's own order: a root, then what it signs.
bool IsRootName(std::string_view subject) {
  return subject.starts_with(kRootPrefix);
}

std::string NameOf(const Authority& authority) {
  if (authority.crl) return "a revocation list";
  return absl::StrCat("\"", authority.certificate->SubjectName(), "\"");
}

const verifier::ossl::Digest256& Sha256Of(const Authority& authority) {
  return authority.crl ? authority.crl->sha256()
                       : authority.certificate->sha256();
}

}  // namespace

std::string_view KindOf(const Certificate& certificate) {
  const std::string subject = certificate.SubjectName();
  if (IsRootName(subject)) return "ARK";
  if (subject == "SEV-VCEK") return "VCEK";
  if (subject == "SEV-VLEK") return "VLEK";
  if (subject.starts_with("SEV-VLEK-")) return "ASVK";
  if (subject.starts_with("SEV-")) return "ASK";
  return "";
}

bool AuthorityImport::IsPinned(const Certificate& certificate) const {
  return std::ranges::find(pins_, certificate.sha256()) != pins_.end();
}

absl::Status AuthorityImport::Add(base::Bytes bytes, const std::string& name) {
  const auto parts = verifier::SplitCertificates(bytes);
  if (!parts.ok()) return Error(kNotCertificates, name);
  for (const auto& der : parts->certificates) {
    auto certificate = Certificate::Parse(der);
    if (!certificate) return Error(kNotCertificates, name);
    const std::string_view kind = KindOf(*certificate);
    if (kind != "ARK" && kind != "ASK" && kind != "ASVK") {
      return Error(
          kImportNotAuthority,
          absl::StrCat(name, ": \"", certificate->SubjectName(), "\""));
    }
    AddKnown(*certificate);
    authorities_.push_back({.der = der,
                            .certificate = std::move(certificate),
                            .crl = std::nullopt});
  }
  for (const auto& der : parts->crls) {
    auto crl = verifier::Crl::Parse(der);
    if (!crl) return Error(kNotCertificates, name);
    authorities_.push_back(
        {.der = der, .certificate = std::nullopt, .crl = std::move(crl)});
  }
  return absl::OkStatus();
}

void AuthorityImport::AddKnown(base::Bytes bytes) {
  const auto parts = verifier::SplitCertificates(bytes);
  if (!parts.ok()) return;
  for (const auto& der : parts->certificates) {
    const auto certificate = Certificate::Parse(der);
    if (certificate) AddKnown(*certificate);
  }
}

// Folders are named after the root: a pin alone makes no root of it.
void AuthorityImport::AddKnown(const Certificate& certificate) {
  if (IsRootName(certificate.SubjectName()) && IsPinned(certificate)) {
    roots_.push_back(certificate);
  }
}

// The pinned root that signed it; null: none, and why the last one did not.
const Certificate* AuthorityImport::RootOf(const Authority& authority,
                                           Findings& findings) const {
  for (const Certificate& root : roots_) {
    findings.clear();
    if (authority.crl) {
      CheckCrlSignedBy(*authority.crl, root, findings);
    } else {
      CheckSignedBy(*authority.certificate, root,
                    authority.certificate->SubjectName(), findings);
    }
    if (findings.empty()) return &root;
  }
  return nullptr;
}

bool AuthorityImport::VouchFor(const Certificate& authority) const {
  return std::ranges::any_of(roots_, [&](const Certificate& root) {
    Findings findings;
    CheckSignedBy(authority, root, authority.SubjectName(), findings);
    CheckIsCa(authority, authority.SubjectName(), findings);
    return findings.empty();
  });
}

absl::Status AuthorityImport::Check(time_t now) const {
  if (roots_.empty()) return Error(kImportNotPinned, "");
  for (const Authority& authority : authorities_) {
    Findings findings;
    const std::string name = NameOf(authority);
    if (authority.certificate &&
        IsRootName(authority.certificate->SubjectName()) &&
        !IsPinned(*authority.certificate)) {
      return Error(
          kImportNotPinned,
          absl::StrCat(name, " sha256:",
                       verifier::ossl::Hex(authority.certificate->sha256())));
    }
    if (RootOf(authority, findings) == nullptr) {
      return Error(kImportNotSigned,
                   absl::StrCat(name, ": ", TextOf(findings.front())));
    }
    if (!authority.certificate) continue;
    CheckIsCa(*authority.certificate, name, findings);
    CheckValidity(*authority.certificate, now, name, findings);
    if (!findings.empty()) {
      return absl::InvalidArgumentError(TextOf(findings.front()));
    }
  }
  return absl::OkStatus();
}

// "milan/ask"; by the root, whose name ends in the product.
std::string AuthorityImport::NameFor(const Authority& authority) const {
  Findings ignored;
  const Certificate* root = RootOf(authority, ignored);
  const std::string subject = root->SubjectName();
  const auto product =
      sev::ProductOfName(std::string_view(subject).substr(kRootPrefix.size()));
  const std::string folder =
      product ? absl::AsciiStrToLower(sev::NameOf(*product)) : "other";
  const std::string kind =
      authority.crl ? "crl"
                    : absl::AsciiStrToLower(KindOf(*authority.certificate));
  return absl::StrCat(folder, "/", kind);
}

// Whoever can write the folder could otherwise keep every list out by a number.
bool AuthorityImport::IsNewerList(base::Bytes there,
                                  const Authority& authority) const {
  const auto old = verifier::Crl::Parse(there);
  if (!old || old->number() <= authority.crl->number()) return false;
  Findings findings;
  CheckCrlSignedBy(*old, *RootOf(authority, findings), findings);
  return findings.empty();
}

absl::StatusOr<AuthorityImport::Outcome> AuthorityImport::Write(
    const std::string& folder) const {
  Outcome outcome;
  for (const Authority& authority : authorities_) {
    const std::string stem = absl::StrCat(folder, "/", NameFor(authority));
    std::string path = absl::StrCat(stem, ".der");
    const auto there = ReadInput(path);
    if (there.ok() && base::Equal(*there, authority.der)) continue;
    if (there.ok() && authority.crl) {
      if (IsNewerList(*there, authority)) {
        outcome.newer.push_back(path);
        continue;
      }
    } else if (there.ok()) {
      path = absl::StrCat(
          stem, "-",
          verifier::ossl::Hex(Sha256Of(authority)).substr(0, kDigestDigits),
          ".der");
    }
    const absl::Status status = WriteOutput(path, authority.der);
    if (!status.ok()) return status;
    outcome.written.push_back(path);
  }
  return outcome;
}

}  // namespace cli
