// SPDX-License-Identifier: Apache-2.0
//
// A folder of endorsements: *.der and *.pem at any depth, told apart by what is
// in them. Public data that proves itself: whoever writes the folder can make
// evidence fail only by leaving something out.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "verifier/endorsements/endorsements.h"

namespace verifier {

// Bytes of one file, and files of one folder.
inline constexpr size_t kMaxEndorsementFile = 256 * 1024;
inline constexpr size_t kMaxEndorsementFiles = 16 * 1024;

// Reads all of `folder` or nothing: half of a folder is not the folder, the
// list that revokes may be in the other half.
//   NotFound: no such folder. InvalidArgument: a file that cannot be used, with
//   its name.
absl::StatusOr<Endorsements> LoadFolder(const std::string& folder);

// Adds every file, as stored, that can be used, and tells `unusable` of the
// others.
//   As LoadFolder, of the folder itself.
absl::Status AddFolder(
    const std::string& folder, Endorsements& to,
    const std::function<void(const absl::Status&)>& unusable);

}  // namespace verifier
