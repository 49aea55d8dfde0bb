// SPDX-License-Identifier: Apache-2.0
//
// `forelock image build`: IGVM files.
#pragma once

#include <span>

#include "cli/arguments.h"

namespace cli {

std::span<const Command> ImageBuildCommands();

}  // namespace cli
