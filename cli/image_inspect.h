// SPDX-License-Identifier: Apache-2.0
//
// `forelock image list` and `image dump`: what an IGVM file says, whoever made
// it.
#pragma once

#include <span>

#include "cli/arguments.h"

namespace cli {

std::span<const Command> ImageInspectCommands();

}  // namespace cli
