// SPDX-License-Identifier: Apache-2.0
//
// `forelock policy ...`: check, explain and begin policies.
#pragma once

#include <span>

#include "cli/arguments.h"

namespace cli {

std::span<const Command> PolicyCommands();

}  // namespace cli
