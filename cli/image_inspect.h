// SPDX-License-Identifier: Apache-2.0
//
// `forelock image list` and `image dump`: what an IGVM file says, whoever made
// it.
#pragma once

#include <span>

#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> ImageInspectCommands();

}  // namespace cli
