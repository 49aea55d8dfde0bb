// SPDX-License-Identifier: Apache-2.0
//
// Files that only their owner may read.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace verifier {

// A new file, mode 0600, on disk (fsync, of its folder too) when this returns.
// AlreadyExists: it is there; it stays as it is.
absl::Status CreatePrivateFile(const std::string& path, base::Bytes bytes);

// Up to `out`'s size; returns how many bytes the file has of those.
//   NotFound, PermissionDenied (others may read or write the file), Internal.
absl::StatusOr<size_t> ReadPrivateFile(const std::string& path,
                                       base::MutableBytes out);

// A folder of mode 0700; one that is there already must be ours and closed to
// others.
absl::Status MakePrivateFolder(const std::string& path);

}  // namespace verifier
