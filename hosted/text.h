// SPDX-License-Identifier: Apache-2.0
//
// Text that others had a say in, made fit to be shown, and bytes as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace hosted {

// For a terminal or a log: what is not printable ASCII as \xNN. Whatever a
// peer, a file or a database had a say in goes through this before it is shown.
std::string Printable(std::string_view text);

// "PC7" of a reason code that a peer sent (base::Reason's bits); "?" if its tag
// is not two capital letters.
std::string ForeignReason(uint32_t bits);

// Bytes whose owner says that they are characters, in place.
inline std::string_view AsText(base::Bytes bytes) {
  // EDGE: char may alias the bytes.
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Lower-case digits, two a byte.
std::string Hex(base::Bytes bytes);
// Exactly out.size() bytes of lower- or upper-case digits.
bool FromHex(std::string_view hex, base::MutableBytes out);

}  // namespace hosted
