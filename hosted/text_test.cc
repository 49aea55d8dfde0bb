// SPDX-License-Identifier: Apache-2.0
#include "hosted/text.h"

#include <string>

#include "gtest/gtest.h"

namespace hosted {
namespace {

constexpr uint32_t Bits(char a, char b, uint8_t number) {
  return (uint32_t{static_cast<uint8_t>(a)} << 16) |
         (uint32_t{static_cast<uint8_t>(b)} << 8) | number;
}

TEST(Printable, ShowsEveryByteAsPrintableAscii) {
  EXPECT_EQ(Printable("plain ~text"), "plain ~text");
  EXPECT_EQ(Printable(std::string("\0\x1b[2J\n\x7f\xff", 8)),
            "\\x00\\x1b[2J\\x0a\\x7f\\xff");
}

TEST(ForeignReason, IsTwoCapitalLettersAndANumberOrAQuestionMark) {
  EXPECT_EQ(ForeignReason(Bits('P', 'C', 7)), "PC7");
  EXPECT_EQ(ForeignReason(Bits('A', 'Z', 255)), "AZ255");
  EXPECT_EQ(ForeignReason(Bits('p', 'C', 7)), "?");
  EXPECT_EQ(ForeignReason(Bits('P', '\n', 7)), "?");
  EXPECT_EQ(ForeignReason(Bits('@', '[', 7)), "?");
  EXPECT_EQ(ForeignReason(0), "?");
}

}  // namespace
}  // namespace hosted
