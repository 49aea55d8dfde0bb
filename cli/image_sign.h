// SPDX-License-Identifier: Apache-2.0
//
// `forelock image sign` and `forelock image id-key`: ID blocks, which say what
// an image's owner lets run.
#pragma once

#include <span>

#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> ImageSignCommands();

}  // namespace cli
