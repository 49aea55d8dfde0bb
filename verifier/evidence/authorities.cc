// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/authorities.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
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

absl::StatusOr<std::vector<uint8_t>> ReadWhole(
    const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<uint8_t> bytes(kMaxFile + 1);
  // EDGE: streams read char.
  file.read(reinterpret_cast<char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  if (file.bad() || file.gcount() == 0) {
    return absl::UnavailableError(absl::StrCat(path.string(), ": unreadable"));
  }
  if (static_cast<size_t>(file.gcount()) > kMaxFile) {
    return Error(kCertificateMalformed, absl::StatusCode::kInvalidArgument,
                 absl::StrCat(path.string(), ": longer than 256 KiB"));
  }
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

}  // namespace

absl::StatusOr<Authorities> Authorities::Load(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> paths;
  fs::recursive_directory_iterator at(folder, error);
  for (; !error && at != fs::recursive_directory_iterator();
       at.increment(error)) {
    const std::string extension = at->path().extension();
    std::error_code ignored;
    if ((extension == ".der" || extension == ".pem") &&
        at->is_regular_file(ignored)) {
      paths.push_back(at->path());
    }
    if (paths.size() > kMaxFiles) break;
  }
  if (error) {
    return absl::NotFoundError(absl::StrCat(folder, ": ", error.message()));
  }
  // Part of a folder is not the folder: the list may be in the other part.
  if (paths.size() > kMaxFiles) {
    return absl::ResourceExhaustedError(
        absl::StrCat(folder, ": more than ", kMaxFiles, " files"));
  }
  std::ranges::sort(paths);
  Authorities authorities;
  for (const fs::path& path : paths) {
    const auto bytes = ReadWhole(path);
    if (!bytes.ok()) return bytes.status();
    const absl::Status added = authorities.Add(*bytes, path.string());
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
