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

inline toml::parse_result ParseToml(std::string_view text) {
  toml::source_position at = {.line = 1, .column = 1};
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    const bool space = c == '\n' || c == '\t' || c == '\r';
    if (code > 0x7E || (code < 0x20 && !space)) {
      return toml::parse_result(
          toml::parse_error("a character that is not printable ASCII", at));
    }
    ++at.column;
    if (c == '\n') at = {.line = at.line + 1, .column = 1};
  }
  return toml::parse(text);
}

}  // namespace third_party
