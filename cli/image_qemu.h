// SPDX-License-Identifier: Apache-2.0
//
// `forelock image qemu-args`: the QEMU command line for an image.
#pragma once

#include <span>

#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> ImageQemuCommands();

}  // namespace cli
