// SPDX-License-Identifier: Apache-2.0
//
// The secret of a LUKS2 disk, from the options of `secret add-disk` and
// `secret replace-disk`.
#pragma once

#include "absl/status/statusor.h"
#include "hosted/arguments.h"
#include "verifier/store/secret_value.h"

namespace verifier {

// A file's bytes. kSecretSize: too long, or not readable.
absl::StatusOr<SecretValue> ReadSecret(const std::string& file);

// Tries the key on the device, and warns on standard error of what could not be
// tried and of argon2 that wants more memory than the VM has.
//   UsageError(), kLuksHeader, kSecretSize, kKeyDoesNotOpen.
absl::StatusOr<SecretValue> ReadDiskSecret(const hosted::Arguments& arguments);

}  // namespace verifier
