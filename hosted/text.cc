// SPDX-License-Identifier: Apache-2.0
#include "hosted/text.h"

#include "absl/strings/str_format.h"
#include "base/reasons.h"
#include "base/result.h"

namespace hosted {

std::string Printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7F) {
      out.push_back(c);
    } else {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string ForeignReason(uint32_t bits) {
  const base::Reason reason = base::Reason::FromBits(bits);
  const auto capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (!capital(reason.tag0()) || !capital(reason.tag1())) return "?";
  return base::NameOf(reason).text;
}

std::string Hex(base::Bytes bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(2 * bytes.size());
  for (const uint8_t byte : bytes) {
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

bool FromHex(std::string_view hex, base::MutableBytes out) {
  if (hex.size() != 2 * out.size()) return false;
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  for (size_t i = 0; i < out.size(); ++i) {
    const int high = digit(hex[2 * i]);
    const int low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

}  // namespace hosted
