// SPDX-License-Identifier: Apache-2.0
#include "cli/files.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "cli/error.h"
#include "cli/reasons.h"
#include "hosted/files.h"

namespace cli {
namespace {

constexpr size_t kMaxFiles = 16 * 1024;

absl::Status Failed(base::Reason reason, const absl::Status& why) {
  return Error(reason, why.message(), why.code());
}

}  // namespace

absl::StatusOr<std::vector<uint8_t>> ReadInput(const std::string& path,
                                               size_t limit) {
  auto bytes = hosted::ReadInput(path, limit);
  if (bytes.ok()) return bytes;
  return Failed(
      absl::IsOutOfRange(bytes.status()) ? kFileTooLarge : kFileUnreadable,
      bytes.status());
}

absl::Status WriteOutput(const std::string& path, base::Bytes bytes) {
  std::error_code failed;
  const std::filesystem::path folder =
      std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, failed);
  if (failed) {
    return Error(kFileUnwritable,
                 absl::StrCat(folder.string(), ": ", failed.message()));
  }
  const absl::Status status =
      hosted::ReplaceFile(path, bytes, hosted::kPublicFile);
  return status.ok() ? status : Failed(kFileUnwritable, status);
}

absl::StatusOr<std::vector<std::string>> CertificateFiles(
    const std::string& folder) {
  auto paths = hosted::FilesBelow(folder, hosted::kCertificateFiles, kMaxFiles);
  if (paths.ok()) return paths;
  return Failed(kFileUnreadable, paths.status());
}

bool IsFolder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

bool Exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

}  // namespace cli
