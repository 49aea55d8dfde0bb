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

}  // namespace hosted
