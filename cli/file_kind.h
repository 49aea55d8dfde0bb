// SPDX-License-Identifier: Apache-2.0
//
// What a file that is not what was expected looks like: for a hint in a
// message, never for a decision.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace cli {

// "a gzip file", "an ELF file (vmlinux)"; empty if nothing fits.
std::string_view LooksLike(base::Bytes file);

}  // namespace cli
