// SPDX-License-Identifier: Apache-2.0
//
// toml++ (TOML_HEADER_ONLY=0), and how this repository calls it.
#define TOML_IMPLEMENTATION
#include "third_party/toml.h"

#include <string_view>

namespace third_party {

toml::parse_result ParseToml(std::string_view text) {
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
