// SPDX-License-Identifier: Apache-2.0
//
// `forelock vectors`: run a folder of evidence vectors.
#pragma once

#include <span>

#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> VectorsCommands();

}  // namespace cli
