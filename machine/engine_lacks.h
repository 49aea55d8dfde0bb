// SPDX-License-Identifier: Apache-2.0
//
// Instructions that every SEV-SNP processor has and this engine has not: for
// these its #UD says nothing of the guest.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"

namespace machine {

// The name of the instruction that `code` begins with; empty if it is one that
// the engine knows, or that no processor does. `code` may end early.
std::string_view InstructionThatTheEngineLacks(base::Bytes code, bool mode64);

// "0f 01 fc", at most eight bytes.
std::string HexOfCode(base::Bytes code);

}  // namespace machine
