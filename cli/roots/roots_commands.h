// SPDX-License-Identifier: Apache-2.0
//
// `forelock roots ...`: the folder of AMD's certificates and revocation lists.
#pragma once

#include <span>

#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> RootsCommands();

}  // namespace cli
