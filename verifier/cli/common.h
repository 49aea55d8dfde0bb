// SPDX-License-Identifier: Apache-2.0
//
// What the commands share; not for others.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "verifier/cli/arguments.h"
#include "verifier/store/store.h"

namespace verifier {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

std::string StateFolder(const Arguments& arguments);
absl::StatusOr<std::unique_ptr<Store>> OpenStore(const Arguments& arguments);

// Prints the message to standard error. Returns kFailed.
int Fail(const absl::Status& status);
int FailUsage(std::string_view what);

}  // namespace verifier
