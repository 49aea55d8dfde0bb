// SPDX-License-Identifier: Apache-2.0
#include "svsm/console/line.h"

namespace svsm {
namespace {
constexpr char kDigits[] = "0123456789abcdef";
constexpr std::string_view kEllipsis = "...";
}  // namespace

void Line::Put(char c) {
  if (truncated_) return;
  if (size_ < kCapacity) {
    text_[size_++] = c;
    return;
  }
  truncated_ = true;
  for (size_t i = 0; i < kEllipsis.size(); ++i) {
    text_[kCapacity - kEllipsis.size() + i] = kEllipsis[i];
  }
}

Line& Line::operator<<(std::string_view text) {
  for (const char c : text) Put(c);
  return *this;
}

Line& Line::operator<<(uint64_t value) {
  char reversed[20];
  size_t size = 0;
  do {
    reversed[size++] = kDigits[value % 10];
    value /= 10;
  } while (value != 0);
  while (size > 0) Put(reversed[--size]);
  return *this;
}

Line& Line::Hex(uint64_t value) {
  *this << "0x";
  int shift = 60;
  while (shift > 0 && (value >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) Put(kDigits[(value >> shift) & 0xF]);
  return *this;
}

Line& Line::HexBytes(base::Bytes bytes) {
  for (const uint8_t byte : bytes) {
    Put(kDigits[byte >> 4]);
    Put(kDigits[byte & 0xF]);
  }
  return *this;
}

Line& Line::Escaped(base::Bytes bytes) {
  for (const uint8_t byte : bytes) {
    Put(byte >= 0x20 && byte < 0x7F ? static_cast<char>(byte) : '?');
  }
  return *this;
}

Line& Line::Milliseconds(uint64_t nanoseconds) {
  const uint64_t microseconds = nanoseconds / 1000;
  const uint64_t whole = microseconds / 1000;
  for (uint64_t bound = 10000; bound > 1 && whole < bound; bound /= 10) {
    Put(' ');
  }
  const uint64_t rest = microseconds % 1000;
  *this << whole << ".";
  Put(kDigits[rest / 100]);
  Put(kDigits[rest / 10 % 10]);
  Put(kDigits[rest % 10]);
  return *this;
}

}  // namespace svsm
