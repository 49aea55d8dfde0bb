// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/authorities.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hosted/files.h"
#include "verifier/evidence/split.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr size_t kMaxFile = 256 * 1024;
constexpr size_t kMaxCertificates = 256;
constexpr size_t kMaxFiles = 16 * 1024;

bool IsLeafName(const std::string& name) {
  return name == "SEV-VCEK" || name == "SEV-VLEK";
}

}  // namespace

absl::StatusOr<Authorities> Authorities::Load(const std::string& folder) {
  const auto paths =
      hosted::FilesBelow(folder, hosted::kCertificateFiles, kMaxFiles);
  if (!paths.ok()) return paths.status();
  Authorities authorities;
  for (const std::string& path : *paths) {
    const auto bytes = hosted::ReadRegularFile(path, kMaxFile);
    if (absl::IsOutOfRange(bytes.status())) {
      return Error(kCertificateMalformed, absl::StatusCode::kInvalidArgument,
                   bytes.status().message());
    }
    if (!bytes.ok()) return bytes.status();
    const absl::Status added = authorities.Add(*bytes, path);
    if (!added.ok()) return added;
  }
  return authorities;
}

absl::Status Authorities::Add(base::Bytes bytes, const std::string& name) {
  const auto parts = SplitCertificates(bytes);
  if (!parts.ok()) {
    return Error(kCertificateMalformed, absl::StatusCode::kInvalidArgument,
                 absl::StrCat(name, ": ", parts.status().message()));
  }
  for (const auto& der : parts->certificates) {
    auto certificate = Certificate::Parse(der);
    if (!certificate) {
      return Error(kCertificateMalformed, absl::StatusCode::kInvalidArgument,
                   name);
    }
    if (IsLeafName(certificate->SubjectName())) continue;
    const bool known =
        std::ranges::any_of(certificates_, [&](const Certificate& other) {
          return other.sha256() == certificate->sha256();
        });
    if (known) continue;
    if (certificates_.size() >= kMaxCertificates) {
      return Error(kCertificateMalformed, absl::StatusCode::kInvalidArgument,
                   absl::StrCat(name, ": more than 256 certificates"));
    }
    Extend(certificate->sha256());
    certificates_.push_back(*std::move(certificate));
  }
  for (const auto& der : parts->crls) {
    auto crl = Crl::Parse(der);
    const bool known = crl && std::ranges::any_of(crls_, [&](const Crl& other) {
                         return other.sha256() == crl->sha256();
                       });
    if (known) continue;
    if (!crl || crls_.size() >= kMaxCertificates) {
      return Error(kCertificateMalformed, absl::StatusCode::kInvalidArgument,
                   absl::StrCat(name, ": CRL"));
    }
    Extend(crl->sha256());
    crls_.push_back(*std::move(crl));
  }
  return absl::OkStatus();
}

void Authorities::Extend(const ossl::Digest256& sha256) {
  generation_ = ossl::Sha256().Update(generation_).Update(sha256).Finish();
}

std::vector<const Certificate*> Authorities::IssuersOf(
    const Certificate& subject) const {
  std::vector<const Certificate*> found;
  for (const Certificate& certificate : certificates_) {
    if (subject.NamesAsIssuer(certificate)) {
      found.push_back(&certificate);
    }
  }
  return found;
}

const Crl* Authorities::CrlOf(const Certificate& root) const {
  const Crl* newest = nullptr;
  for (const Crl& crl : crls_) {
    if (newest != nullptr && crl.number() <= newest->number()) continue;
    // Signed, not only named: a forged one would hide the true one.
    Findings findings;
    CheckCrlSignedBy(crl, root, findings);
    if (findings.empty()) newest = &crl;
  }
  return newest;
}

}  // namespace verifier
