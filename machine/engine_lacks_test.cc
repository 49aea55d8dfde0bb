// SPDX-License-Identifier: Apache-2.0
#include "machine/engine_lacks.h"

#include <vector>

#include "gtest/gtest.h"

namespace machine {
namespace {

struct Case {
  std::vector<uint8_t> code;
  std::string_view name;
};

TEST(InstructionThatTheEngineLacks, NamesThem) {
  const Case cases[] = {
      {{0x0F, 0xAE, 0x37}, "XSAVEOPT"},
      {{0x48, 0x0F, 0xAE, 0x37}, "XSAVEOPT"},  // REX.W
      {{0x66, 0x0F, 0xAE, 0x37}, "CLWB"},
      {{0x0F, 0xC7, 0x64, 0x24, 0x40}, "XSAVEC"},
      {{0xF3, 0x0F, 0xC7, 0xF8}, "RDPID"},
      {{0x66, 0x0F, 0x38, 0x82, 0x06}, "INVPCID"},
      {{0x0F, 0x38, 0xCB, 0xC1}, "SHA256RNDS2"},
      {{0x0F, 0x01, 0xFC}, "CLZERO"},
      {{0x65, 0x0F, 0x01, 0xFD}, "RDPRU"},  // with a segment
      {{0xC4, 0xE2, 0xF9, 0xF7, 0xC0}, "SHLX while CR4.OSFXSR is 0"},
  };
  for (const Case& row : cases) {
    EXPECT_EQ(InstructionThatTheEngineLacks(row.code, true), row.name)
        << HexOfCode(row.code);
  }
}

TEST(InstructionThatTheEngineLacks, LeavesOthersAlone) {
  const std::vector<uint8_t> cases[] = {
      {0x0F, 0x0B},                    // UD2
      {0x0F, 0xB9, 0xC0},              // UD1
      {0x0F, 0xAE, 0xF0},              // MFENCE
      {0x0F, 0xAE, 0x3F},              // CLFLUSH
      {0xF2, 0x0F, 0x01, 0xFF},        // PVALIDATE
      {0xF3, 0x0F, 0x01, 0xFE},        // RMPADJUST
      {0x0F, 0x01, 0xC1},              // VMCALL: undefined on AMD, too
      {0x0F, 0xC7, 0xF0},              // RDRAND
      {0xC4, 0xE2, 0xFB, 0xF7, 0xC0},  // SHRX
      {0x90},
  };
  for (const auto& code : cases) {
    EXPECT_EQ(InstructionThatTheEngineLacks(code, true), "") << HexOfCode(code);
  }
  // DEC EAX, not a prefix.
  EXPECT_EQ(InstructionThatTheEngineLacks(
                std::vector<uint8_t>{0x48, 0x0F, 0xAE, 0x37}, false),
            "");
}

TEST(InstructionThatTheEngineLacks, CodeMayEndAnywhere) {
  const std::vector<uint8_t> code = {0x66, 0x48, 0x0F, 0x38, 0x82, 0x06};
  for (size_t size = 0; size < code.size(); ++size) {
    InstructionThatTheEngineLacks(base::Bytes(code).first(size), true);
  }
  // All that is cut off before its operand has none.
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::vector<uint8_t> two = {static_cast<uint8_t>(first),
                                        static_cast<uint8_t>(second)};
      EXPECT_EQ(InstructionThatTheEngineLacks(two, true), "");
    }
  }
}

TEST(HexOfCode, StopsAtEight) {
  EXPECT_EQ(HexOfCode(std::vector<uint8_t>(15, 0xAB)),
            "ab ab ab ab ab ab ab ab");
  EXPECT_EQ(HexOfCode({}), "");
}

}  // namespace
}  // namespace machine
