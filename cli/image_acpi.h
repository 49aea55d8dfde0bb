// SPDX-License-Identifier: Apache-2.0
//
// `forelock image acpi-digest`: the digest of the ACPI tables that a QEMU makes
// for a machine, before its first boot.
#pragma once

#include <span>

#include "hosted/arguments.h"

namespace cli {

std::span<const hosted::Command> ImageAcpiCommands();

}  // namespace cli
