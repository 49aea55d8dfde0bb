// SPDX-License-Identifier: Apache-2.0
//
// `forelock roots prepare`.
#pragma once

#include <span>

#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> PrepareCommands();

}  // namespace cli
