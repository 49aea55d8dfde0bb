// SPDX-License-Identifier: Apache-2.0
//
// `forelock image configure` and `image show`.
#pragma once

#include <span>

#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> ImageCommands();

}  // namespace cli
