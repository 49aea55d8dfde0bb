// SPDX-License-Identifier: Apache-2.0
//
// Files that commands read and write.
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

// A whole file; "-" is standard input. CL1, CL2.
absl::StatusOr<std::vector<uint8_t>> ReadInput(const std::string& path,
                                               size_t limit = kMaxInput);

// In one step: a reader sees the old file, if there was one, or all of the new.
// Makes missing folders. CL3.
absl::Status WriteOutput(const std::string& path, base::Bytes bytes);

bool IsFolder(const std::string& path);
bool Exists(const std::string& path);

}  // namespace cli
