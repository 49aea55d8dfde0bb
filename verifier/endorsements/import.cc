// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/import.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "hosted/files.h"
#include "sev/product.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/endorsements/folder.h"
#include "verifier/endorsements/split.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr size_t kDigestDigits = 8;
constexpr std::string_view kRootPrefix = "ARK-";

bool IsRoot(const Certificate& certificate) {
  return KindOf(certificate) == "ARK";
}

bool IsLeaf(const Certificate& certificate) {
  const std::string_view kind = KindOf(certificate);
  return kind == "VCEK" || kind == "VLEK";
}

std::string WithDigest(const std::string& stem, const ossl::Digest256& sha256) {
  return absl::StrCat(stem, "-", ossl::Hex(sha256).substr(0, kDigestDigits),
                      ".der");
}

absl::Status Put(const std::string& path, base::Bytes bytes) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(),
                                      error);
  // A folder that cannot be made is a file that cannot be written.
  return hosted::ReplaceFile(path, bytes, hosted::kPublicFile);
}

std::string Sentence(const Finding& finding) {
  return absl::StrCat(ReasonCode(finding.reason), " ",
                      verifier::TextOf(finding.reason).what,
                      finding.detail.empty() ? "" : ": ", finding.detail);
}

std::string Described(const Certificate& certificate) {
  return absl::StrCat("\"", certificate.SubjectName(), "\"");
}

}  // namespace

bool Import::IsPinned(const Certificate& certificate) const {
  return std::ranges::find(pins_, certificate.sha256()) != pins_.end();
}

// Folders are named after the root: a pin alone makes no root of it.
void Import::AddRoot(const Certificate& certificate) {
  if (IsRoot(certificate) && IsPinned(certificate)) {
    roots_.push_back(certificate);
  }
}

absl::Status Import::Add(base::Bytes bytes, const std::string& name) {
  const auto parts = SplitCertificates(bytes);
  if (!parts.ok()) {
    return Error(kCertificateMalformed,
                 absl::StrCat(name, ": ", parts.status().message()));
  }
  for (const auto& der : parts->certificates) {
    auto certificate = Certificate::Parse(der);
    if (!certificate) return Error(kCertificateMalformed, name);
    const std::string_view kind = KindOf(*certificate);
    if (kind != "ARK" && kind != "ASK" && kind != "ASVK") {
      return Error(kImportNotAuthority,
                   absl::StrCat(name, ": ", Described(*certificate)));
    }
    AddRoot(*certificate);
    parts_.push_back({.name = name,
                      .der = der,
                      .certificate = std::move(certificate),
                      .list = nullptr});
  }
  for (const auto& der : parts->crls) {
    auto list = Crl::Parse(der);
    if (!list) {
      const Finding why = Crl::WhyNot(der);
      return Error(why.reason, absl::StrCat(name, ": ", why.detail));
    }
    parts_.push_back({.name = name,
                      .der = der,
                      .certificate = std::nullopt,
                      .list = std::make_shared<const Crl>(*std::move(list))});
  }
  return absl::OkStatus();
}

void Import::AddKnown(base::Bytes bytes, const std::string& path) {
  const auto parts = SplitCertificates(bytes);
  if (!parts.ok()) return;
  for (const auto& der : parts->certificates) {
    auto certificate = Certificate::Parse(der);
    if (!certificate) continue;
    AddRoot(*certificate);
    known_.push_back({.name = path,
                      .der = der,
                      .certificate = std::move(certificate),
                      .list = nullptr});
  }
  for (const auto& der : parts->crls) {
    auto list = Crl::Parse(der);
    if (!list) continue;
    known_.push_back({.name = path,
                      .der = der,
                      .certificate = std::nullopt,
                      .list = std::make_shared<const Crl>(*std::move(list))});
  }
}

absl::Status Import::AddKnownFolder(const std::string& folder) {
  const auto paths = hosted::FilesBelow(folder, hosted::kCertificateFiles,
                                        kMaxEndorsementFiles);
  if (absl::IsNotFound(paths.status())) return absl::OkStatus();
  if (!paths.ok()) return paths.status();
  for (const std::string& path : *paths) {
    const auto bytes = hosted::ReadRegularFile(path, kMaxEndorsementFile);
    if (bytes.ok()) AddKnown(*bytes, path);
  }
  return absl::OkStatus();
}

// The pinned root that signed it; null: none, and why the last one did not.
const Certificate* Import::RootOf(const Part& part, Findings& findings) const {
  for (const Certificate& root : roots_) {
    findings.clear();
    if (part.list) {
      CheckCrlSignedBy(*part.list, root, findings);
    } else {
      CheckSignedBy(*part.certificate, root, Described(*part.certificate),
                    findings);
    }
    if (findings.empty()) return &root;
  }
  return nullptr;
}

const Crl* Import::ListOf(const Certificate& root) const {
  const Crl* newest = nullptr;
  for (const auto* from : {&parts_, &known_}) {
    for (const Part& part : *from) {
      if (part.list && (!newest || IsNewer(*part.list, *newest)) &&
          IsSignedBy(*part.list, root)) {
        newest = part.list.get();
      }
    }
  }
  return newest;
}

absl::Status Import::CheckPart(const Part& part, time_t now) const {
  Findings findings;
  const std::string what = part.list ? std::string("a revocation list")
                                     : Described(*part.certificate);
  const Certificate* root = RootOf(part, findings);
  if (root == nullptr) {
    return Error(kImportNotSigned, absl::StrCat(part.name, ": ", what, ": ",
                                                Sentence(findings.front())));
  }
  const std::string named = absl::StrCat(part.name, ": ", what);
  if (part.list) {
    CheckCrlCurrent(*part.list, now, findings);
  } else {
    CheckIsCa(*part.certificate, named, findings);
    CheckValidity(*part.certificate, now, named, findings);
    if (const Crl* list = ListOf(*root)) {
      CheckNotRevoked(*part.certificate, *list,
                      absl::StrCat(named, ", by list ", list->number()),
                      findings);
    }
  }
  if (findings.empty()) return absl::OkStatus();
  // Findings of a list do not name its file.
  return Error(findings.front().reason,
               part.list ? named : findings.front().detail);
}

absl::Status Import::Check(time_t now) const {
  if (roots_.empty()) return Error(kImportNotPinned, "");
  for (const Part& part : parts_) {
    if (part.certificate && IsRoot(*part.certificate) &&
        !IsPinned(*part.certificate)) {
      return Error(
          kImportNotPinned,
          absl::StrCat(part.name, ": ", Described(*part.certificate),
                       " sha256:", ossl::Hex(part.certificate->sha256())));
    }
    // A list that is older than one that is there will not be taken anyway.
    if (part.list) {
      Findings ignored;
      const Certificate* root = RootOf(part, ignored);
      const Crl* newest = root == nullptr ? nullptr : ListOf(*root);
      if (newest != nullptr && IsNewer(*newest, *part.list)) continue;
    }
    const absl::Status good = CheckPart(part, now);
    if (!good.ok()) return good;
  }
  return absl::OkStatus();
}

std::string Import::FaultOf(const Certificate& certificate, time_t now) const {
  Findings findings;
  const Part part{
      .name = "", .der = {}, .certificate = certificate, .list = nullptr};
  const std::string_view kind = KindOf(certificate);
  if (kind == "ARK" && !IsPinned(certificate)) return "not pinned";
  if (IsLeaf(certificate)) {
    const bool is_signed = std::ranges::any_of(known_, [&](const Part& known) {
      return known.certificate && IsSignedBy(certificate, *known.certificate) &&
             !IsLeaf(*known.certificate) &&
             FaultOf(*known.certificate, now).empty();
    });
    if (!is_signed) return "not signed by what is good here";
  } else {
    const Certificate* root = RootOf(part, findings);
    if (root == nullptr) return "not signed by a pinned root that is here";
    if (const Crl* list = ListOf(*root)) {
      CheckNotRevoked(certificate, *list, "", findings);
      if (!findings.empty()) {
        return absl::StrCat("revoked by list ", list->number());
      }
    }
  }
  CheckValidity(certificate, now, "", findings);
  if (findings.empty()) return "";
  return findings.front().reason == kCertificateExpired ? "out of date"
                                                        : "not yet valid";
}

std::string Import::FaultOf(const Crl& list, time_t now) const {
  for (const Certificate& root : roots_) {
    if (!IsSignedBy(list, root)) continue;
    const Crl* newest = ListOf(root);
    if (newest != nullptr && IsNewer(*newest, list)) {
      return absl::StrCat("superseded by list ", newest->number());
    }
    Findings findings;
    CheckCrlCurrent(list, now, findings);
    if (findings.empty()) return "";
    return findings.front().reason == kCrlStale ? "out of date"
                                                : "not yet valid";
  }
  return "not signed by a pinned root that is here";
}

// "milan/ask"; by the root, whose name ends in the product.
std::string Import::NameFor(const Part& part) const {
  Findings ignored;
  const std::string subject = RootOf(part, ignored)->SubjectName();
  const auto product =
      sev::ProductOfName(std::string_view(subject).substr(kRootPrefix.size()));
  return absl::StrCat(
      product ? absl::AsciiStrToLower(sev::NameOf(*product)) : "other", "/",
      part.list ? "crl" : absl::AsciiStrToLower(KindOf(*part.certificate)));
}

// What is there and is not just one faulty certificate stays as it is: it may
// hold more than this code understands.
absl::Status Import::WriteCertificate(const Part& part, const std::string& stem,
                                      time_t now, Outcome& outcome) const {
  std::string path = absl::StrCat(stem, ".der");
  const auto there = hosted::ReadRegularFile(path, kMaxEndorsementFile);
  if (!absl::IsNotFound(there.status())) {
    const auto old = there.ok() ? Certificate::Parse(*there) : std::nullopt;
    if (old && !FaultOf(*old, now).empty()) {
      const std::string aside = WithDigest(stem, old->sha256());
      const absl::Status moved = Put(aside, *there);
      if (!moved.ok()) return moved;
      outcome.moved[path] = aside;
    } else {
      path = WithDigest(stem, part.certificate->sha256());
    }
  }
  const absl::Status written = Put(path, part.der);
  if (written.ok()) outcome.written.push_back(path);
  return written;
}

absl::Status Import::WriteList(const Part& part, const std::string& stem,
                               Outcome& outcome) const {
  Findings ignored;
  const Certificate& root = *RootOf(part, ignored);
  // Signed, not only named: whoever writes the folder could otherwise keep
  // every list out by a number.
  for (const Part& known : known_) {
    if (known.list && IsNewer(*known.list, *part.list) &&
        IsSignedBy(*known.list, root)) {
      outcome.newer.push_back(known.name);
      return absl::OkStatus();
    }
  }
  std::string path = absl::StrCat(stem, ".der");
  const auto there = hosted::ReadRegularFile(path, kMaxEndorsementFile);
  if (!absl::IsNotFound(there.status()) &&
      !(there.ok() && Crl::Parse(*there))) {
    path = WithDigest(stem, part.list->sha256());
  }
  const absl::Status written = Put(path, part.der);
  if (written.ok()) outcome.written.push_back(path);
  return written;
}

absl::StatusOr<Import::Outcome> Import::Write(const std::string& folder,
                                              time_t now) const {
  Outcome outcome;
  // Certificates first: a list that is there speaks of what is there.
  for (const bool lists : {false, true}) {
    for (const Part& part : parts_) {
      const bool is_list = part.list != nullptr;
      const bool is_there = std::ranges::any_of(
          known_, [&](const Part& known) { return known.der == part.der; });
      if (is_list != lists || is_there) continue;
      const std::string stem = absl::StrCat(folder, "/", NameFor(part));
      const absl::Status written =
          is_list ? WriteList(part, stem, outcome)
                  : WriteCertificate(part, stem, now, outcome);
      if (!written.ok()) return written;
    }
  }
  for (const Part& known : known_) {
    if (known.certificate &&
        FaultOf(*known.certificate, now).starts_with("revoked")) {
      const auto moved = outcome.moved.find(known.name);
      outcome.revoked.push_back(moved == outcome.moved.end() ? known.name
                                                             : moved->second);
    }
  }
  return outcome;
}

}  // namespace verifier
