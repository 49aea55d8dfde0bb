// SPDX-License-Identifier: Apache-2.0
//
// `forelock image measure` and `image verify`: launch digests.
#pragma once

#include <span>

#include "cli/arguments.h"

namespace cli {

std::span<const Command> ImageMeasureCommands();

}  // namespace cli
