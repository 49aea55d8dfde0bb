// SPDX-License-Identifier: Apache-2.0
#include "svsm/console/line.h"

#include <stdint.h>

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace svsm {
namespace {

TEST(LineTest, Decimal) {
  EXPECT_EQ((Line() << uint64_t{0}).text(), "0");
  EXPECT_EQ((Line() << UINT64_MAX).text(), "18446744073709551615");
}

TEST(LineTest, Hex) {
  EXPECT_EQ(Line().Hex(0).text(), "0x0");
  EXPECT_EQ(Line().Hex(0x10).text(), "0x10");
  EXPECT_EQ(Line().Hex(UINT64_MAX).text(), "0xffffffffffffffff");
}

TEST(LineTest, HexBytes) {
  const uint8_t bytes[] = {0x00, 0x1f, 0xff};
  EXPECT_EQ(Line().HexBytes(bytes).text(), "001fff");
}

TEST(LineTest, EscapedLeavesNoControlCharacter) {
  uint8_t all[128];
  for (int i = 0; i < 128; ++i) all[i] = static_cast<uint8_t>(i * 2 + 1);
  Line line;
  line.Escaped(all);
  for (const char c : line.text()) {
    EXPECT_TRUE(c >= 0x20 && c < 0x7F);
  }
}

TEST(LineTest, Milliseconds) {
  EXPECT_EQ(Line().Milliseconds(12'345'678).text(), "   12.345");
  EXPECT_EQ(Line().Milliseconds(0).text(), "    0.000");
  EXPECT_EQ(Line().Milliseconds(123'456'000'999).text(), "123456.000");
}

TEST(LineTest, TooLongEndsInDots) {
  const std::string exact(Line::kCapacity, 'x');
  Line fits;
  fits << exact;
  EXPECT_EQ(fits.text(), exact);
  EXPECT_FALSE(fits.truncated());
  Line cut;
  cut << exact << "y"
      << "z";
  EXPECT_TRUE(cut.truncated());
  EXPECT_EQ(cut.text().size(), Line::kCapacity);
  EXPECT_EQ(cut.text().substr(Line::kCapacity - 4), "x...");
}

}  // namespace
}  // namespace svsm
