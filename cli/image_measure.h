// SPDX-License-Identifier: Apache-2.0
//
// `forelock image measure` and `image verify`: launch digests.
#pragma once

#include <span>

#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> ImageMeasureCommands();

}  // namespace cli
