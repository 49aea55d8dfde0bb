// SPDX-License-Identifier: Apache-2.0
//
// `forelock image rom`: a flat ROM for a VMM that takes no IGVM file.
#pragma once

#include <span>

#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> ImageRomCommands();

}  // namespace cli
