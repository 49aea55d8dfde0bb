// SPDX-License-Identifier: Apache-2.0
//
// `forelock image ...`: configure, measure and show guest images.
#pragma once

#include <span>

#include "cli/arguments.h"

namespace cli {

std::span<const Command> ImageCommands();

}  // namespace cli
