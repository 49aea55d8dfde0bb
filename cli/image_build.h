// SPDX-License-Identifier: Apache-2.0
//
// `forelock image build`: IGVM files.
#pragma once

#include <span>

#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> ImageBuildCommands();

}  // namespace cli
