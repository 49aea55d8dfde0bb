// SPDX-License-Identifier: Apache-2.0
//
// Bytes as hexadecimal text, for test vectors.
#pragma once

#include <stdint.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace base::testing {

inline std::vector<uint8_t> FromHex(std::string_view text) {
  const auto nibble = [](char c) {
    return static_cast<uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  };
  std::vector<uint8_t> bytes(text.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(nibble(text[2 * i]) << 4 |
                                    nibble(text[2 * i + 1]));
  }
  return bytes;
}

inline std::string ToHex(Bytes bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

inline std::vector<uint8_t> FromText(std::string_view text) {
  return {text.begin(), text.end()};
}

}  // namespace base::testing
