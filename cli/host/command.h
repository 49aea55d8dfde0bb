// SPDX-License-Identifier: Apache-2.0
//
// `forelock host check`: could this host start an SNP guest, and how.
#pragma once

#include <span>

#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> HostCommands();

}  // namespace cli
