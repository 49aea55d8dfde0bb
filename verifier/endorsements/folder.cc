// SPDX-License-Identifier: Apache-2.0
#include "verifier/endorsements/folder.h"

#include <vector>

#include "hosted/files.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

absl::Status AddFile(const std::string& path, Endorsements& to) {
  const auto bytes = hosted::ReadRegularFile(path, kMaxEndorsementFile);
  if (absl::IsOutOfRange(bytes.status())) {
    return Error(kCertificateMalformed, absl::StatusCode::kInvalidArgument,
                 bytes.status().message());
  }
  if (!bytes.ok()) return bytes.status();
  return to.Add(*bytes, {.name = path});
}

}  // namespace

absl::Status AddFolder(
    const std::string& folder, Endorsements& to,
    const std::function<void(const absl::Status&)>& unusable) {
  const auto paths = hosted::FilesBelow(folder, hosted::kCertificateFiles,
                                        kMaxEndorsementFiles);
  if (!paths.ok()) return paths.status();
  for (const std::string& path : *paths) {
    const absl::Status added = AddFile(path, to);
    if (!added.ok()) unusable(added);
  }
  return absl::OkStatus();
}

absl::StatusOr<Endorsements> LoadFolder(const std::string& folder) {
  Endorsements loaded;
  absl::Status first;
  const absl::Status read =
      AddFolder(folder, loaded, [&](const absl::Status& unusable) {
        if (first.ok()) first = unusable;
      });
  if (!read.ok()) return read;
  if (!first.ok()) return first;
  return loaded;
}

}  // namespace verifier
