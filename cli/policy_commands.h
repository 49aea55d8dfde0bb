// SPDX-License-Identifier: Apache-2.0
//
// `forelock policy ...`: check, explain and begin policies.
#pragma once

#include <span>

#include "absl/status/statusor.h"
#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> PolicyCommands();

// In a file of its own.
absl::StatusOr<int> PolicyExplain(const hosted::Arguments& arguments);

}  // namespace cli
