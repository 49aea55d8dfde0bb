// SPDX-License-Identifier: Apache-2.0
//
// Scripts that let a shell complete a program's commands, options and files.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "hosted/arguments.h"

namespace hosted {

// `shell` is bash, zsh or fish.
absl::StatusOr<std::string> CompletionScript(const Program& program,
                                             std::string_view shell);

}  // namespace hosted
