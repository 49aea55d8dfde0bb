// SPDX-License-Identifier: Apache-2.0
//
// ParseToml: how this repository calls toml++.
//
// toml++ 3.3.0 reaches __builtin_unreachable() on some letters outside ASCII
// (U+00A1 to U+049A where a key may stand), so it sees none: such a file is a
// parse error with line and column, like any other.
#pragma once

#include <string_view>

#include "toml++/toml.h"

namespace third_party {

toml::parse_result ParseToml(std::string_view text);

}  // namespace third_party
