// SPDX-License-Identifier: Apache-2.0
//
// Files that commands read and write: hosted/files.h with this folder's
// reasons.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace cli {

// Larger than any report, certificate, list or table of them.
inline constexpr size_t kMaxInput = 256 * 1024;

// hosted::ReadInput; "-" is standard input. CL1, CL2 (longer than `limit`
// bytes).
absl::StatusOr<std::vector<uint8_t>> ReadInput(const std::string& path,
                                               size_t limit = kMaxInput);

// hosted::ReplaceFile, for everybody to read. Makes missing folders. CL3.
absl::Status WriteOutput(const std::string& path, base::Bytes bytes);

// Certificates and revocation lists below a folder, sorted. CL1.
absl::StatusOr<std::vector<std::string>> CertificateFiles(
    const std::string& folder);

bool IsFolder(const std::string& path);
bool Exists(const std::string& path);

}  // namespace cli
