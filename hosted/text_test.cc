// SPDX-License-Identifier: Apache-2.0
#include "hosted/text.h"
#include "base/bytes.h"

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

TEST(Hex, IsTwoLowerDigitsAByteAndReadInEitherCase) {
  std::array<uint8_t, 2> out{};
  EXPECT_TRUE(FromHex("a0FF", out));
  EXPECT_EQ(Hex(out), "a0ff");
  EXPECT_EQ(Hex({}), "");
  EXPECT_TRUE(FromHex("", {}));
  for (const char* odd : {"", "a0", "a0f", "a0fff", "a0fg", "0x12", "a0f "}) {
    EXPECT_FALSE(FromHex(odd, out)) << odd;
  }
}

TEST(AsText, IsTheBytesInPlace) {
  const std::array<uint8_t, 3> bytes = {'a', 0, 0xFF};
  const std::string_view text = AsText(bytes);
  EXPECT_EQ(text, std::string_view("a\0\xff", 3));
  EXPECT_TRUE(base::Equal(base::AsBytes(text), bytes));
}

}  // namespace
}  // namespace hosted
