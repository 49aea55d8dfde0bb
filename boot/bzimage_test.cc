// SPDX-License-Identifier: Apache-2.0
#include "boot/bzimage.h"

#include <vector>

#include "base/bytes.h"
#include "boot/fake_kernel.h"
#include "boot/reasons.h"
#include "gtest/gtest.h"

namespace boot {
namespace {

base::Reason ReasonOf(const std::vector<uint8_t>& file) {
  return ParseBzImage(file).status().reason();
}

TEST(BzImage, ReadsTheHeader) {
  auto file = FakeKernel();
  file.resize(file.size() + 1000);  // a signature
  auto image = ParseBzImage(file);
  ASSERT_TRUE(image.ok());
  EXPECT_EQ(image->payload_offset, 40u * 512);
  EXPECT_EQ(image->payload_size, 0x2000u);
  EXPECT_EQ(image->protocol, 0x20F);
  EXPECT_EQ(image->preferred_address, 0x1000000u);
  EXPECT_EQ(image->alignment, 0x200000u);
  EXPECT_EQ(image->init_size, 0x400000u);
  EXPECT_TRUE(image->relocatable);
  EXPECT_EQ(image->initrd_max, 0x7FFFFFFFu);
  EXPECT_EQ(image->command_line_size, 2047u);
  EXPECT_EQ(image->setup_header.size(), 0x26Cu - 0x1F1);
  EXPECT_EQ(image->setup_header.data(), file.data() + 0x1F1);

  Poke<uint8_t>(file, 0x1F1, 0);  // means 4
  EXPECT_EQ(ParseBzImage(file)->payload_offset, 5u * 512);
}

TEST(BzImage, EveryTruncationFails) {
  const auto whole = FakeKernel();
  ASSERT_TRUE(ParseBzImage(whole).ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::vector<uint8_t> cut(whole.begin(), whole.begin() + long(size));
    ASSERT_EQ(ReasonOf(cut), kKernelTruncated) << size;
  }
}

TEST(BzImage, ChecksEachField) {
  const struct {
    const char* what;
    size_t offset;
    size_t size;
    uint64_t value;
    base::Reason reason;
  } kRows[] = {
      {"boot flag", 0x1FE, 2, 0xAA54, kNotBzImage},
      {"magic", 0x202, 4, 0x53726449, kNotBzImage},
      {"jump", 0x200, 1, 0xE9, kNotBzImage},
      {"zImage", 0x211, 1, 0, kNotBzImage},
      {"protocol 2.11", 0x206, 2, 0x020B, kKernelTooOld},
      {"32-bit", 0x236, 2, 0x7E, kKernelNot64Bit},
      {"header too short", 0x201, 1, 0x65, kKernelHeader},
      {"header too long", 0x201, 1, 0x8F, kKernelHeader},
      {"syssize over the file", 0x1F4, 4, 0x201, kKernelTruncated},
      {"syssize huge", 0x1F4, 4, 0xFFFFFFFF, kKernelTruncated},
      {"syssize without entry", 0x1F4, 4, 0x20, kKernelHeader},
      {"alignment 0", 0x230, 4, 0, kKernelHeader},
      {"alignment odd", 0x230, 4, 0x300000, kKernelHeader},
      {"alignment huge", 0x230, 4, 0x80000000, kKernelHeader},
      {"address odd", 0x258, 8, 0x1000001, kKernelHeader},
      {"address not aligned", 0x258, 8, 0x1100000, kKernelHeader},
      {"address at the end", 0x258, 8, 0xFFFFFFFFFFFFF000, kKernelHeader},
      {"address above 4 GiB", 0x258, 8, 0x100000000, kKernelHeader},
      {"end above 4 GiB", 0x258, 8, 0xFFC01000, kKernelHeader},
      {"init_size below payload", 0x260, 4, 0x1FFF, kKernelHeader},
      {"init_size huge", 0x260, 4, 0xFFFFFFFF, kKernelHeader},
  };
  for (const auto& row : kRows) {
    auto file = FakeKernel();
    for (size_t i = 0; i < row.size; ++i) {
      Poke<uint8_t>(file, row.offset + i,
                    static_cast<uint8_t>(row.value >> (8 * i)));
    }
    EXPECT_EQ(ReasonOf(file), row.reason) << row.what;
  }
}

TEST(BzImage, MayEndAtFourGigabytes) {
  auto file = FakeKernel();
  Poke<uint64_t>(file, 0x258, 0xFFC00000);
  EXPECT_TRUE(ParseBzImage(file).ok());
}

TEST(BzImage, EveryBitFlipIsBounded) {
  auto file = FakeKernel();
  for (size_t bit = 0x1F1 * 8; bit < 0x290 * 8; ++bit) {
    file[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    auto image = ParseBzImage(file);
    if (image.ok()) {
      EXPECT_LE(image->payload_offset + image->payload_size, file.size());
      EXPECT_LE(image->payload_size, image->init_size);
    }
    file[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
  }
}

}  // namespace
}  // namespace boot
