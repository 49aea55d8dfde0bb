// SPDX-License-Identifier: Apache-2.0
//
// `forelock vectors`: run a folder of evidence vectors.
#pragma once

#include <span>

#include "cli/arguments.h"

namespace cli {

std::span<const Command> VectorsCommands();

}  // namespace cli
