// SPDX-License-Identifier: Apache-2.0
//
// Line: one line of text, put together in a fixed buffer.
//
// All the formatting the image has: text, decimal, hexadecimal. What does not
// fit is dropped and the line ends in "...". Bytes from outside go through
// Escaped() so that they cannot drive the operator's terminal.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string_view>

#include "base/bytes.h"

namespace svsm {

class Line {
 public:
  static constexpr size_t kCapacity = 256;

  std::string_view text() const { return {text_, size_}; }
  bool truncated() const { return truncated_; }

  Line& operator<<(std::string_view text);
  // Decimal.
  Line& operator<<(uint64_t value);
  // 0x and at least one digit.
  Line& Hex(uint64_t value);
  // Two digits a byte.
  Line& HexBytes(base::Bytes bytes);
  // Printable ASCII as it is, anything else as '?'.
  Line& Escaped(base::Bytes bytes);
  // Milliseconds with three decimals, padded to nine characters.
  Line& Milliseconds(uint64_t nanoseconds);

 private:
  void Put(char c);

  char text_[kCapacity];
  size_t size_ = 0;
  bool truncated_ = false;
};

}  // namespace svsm
