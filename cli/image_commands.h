// SPDX-License-Identifier: Apache-2.0
//
// `forelock image configure` and `image show`.
#pragma once

#include <span>

#include "cli/arguments.h"

namespace cli {

std::span<const Command> ImageCommands();

}  // namespace cli
