// SPDX-License-Identifier: Apache-2.0
#include "boot/rules.h"

#include <string>

#include "base/bytes.h"
#include "boot/bzimage.h"
#include "boot/fake_kernel.h"
#include "boot/reasons.h"
#include "gtest/gtest.h"

namespace boot {
namespace {

constexpr uint64_t kMiB = 1 << 20;

base::Reason ReasonOf(const std::string& text, uint32_t kernel_takes = 2047) {
  return CheckCommandLine(base::AsBytes(text), kernel_takes).reason();
}

TEST(Rules, CommandLine) {
  EXPECT_TRUE(CheckCommandLine(base::AsBytes("console=ttyS0 quiet"), 19).ok());
  EXPECT_TRUE(CheckCommandLine({}, 0).ok());
  EXPECT_EQ(ReasonOf("quiet", 4), kKernelCmdlineLimit);
  EXPECT_EQ(ReasonOf(std::string(2049, 'x'), 4096), kCmdlineTooLong);
  EXPECT_TRUE(
      CheckCommandLine(base::AsBytes(std::string(2048, 'x')), 4096).ok());
  for (int byte = 0; byte < 256; ++byte) {
    std::string text = "quiet ";
    text.push_back(static_cast<char>(byte));
    const bool printable = byte >= 0x20 && byte < 0x7F;
    EXPECT_EQ(ReasonOf(text), printable ? base::Reason() : kCmdlineNul) << byte;
  }
}

TEST(Rules, Sizes) {
  for (const SizeRule& rule : {kKernelSize, kInitrdSize, kCommandLineSize}) {
    EXPECT_FALSE(rule.Takes(0));
    EXPECT_TRUE(rule.Takes(1));
    EXPECT_TRUE(rule.Takes(rule.max));
    EXPECT_FALSE(rule.Takes(rule.max + 1));
  }
}

// That the loader never does with less: svsm/linux/least_memory_test.cc.
TEST(Rules, LeastMemory) {
  const auto file = FakeKernel();
  const auto image = ParseBzImage(file);
  ASSERT_TRUE(image.ok());
  // Not below 16 MiB, and 4 MiB from there on.
  EXPECT_EQ(LeastMemory(*image, {}), 20 * kMiB);
  EXPECT_EQ(LeastMemory(*image, {.kernel_file = 10 * kMiB, .initrd = 1}),
            20 * kMiB);
  EXPECT_EQ(LeastMemory(*image, {.kernel_file = 10 * kMiB,
                                 .initrd = 100 * kMiB - 10,
                                 .secrets = 11,
                                 .svsm = kMiB}),
            (4 + 10 + 100 + 1) * kMiB + 4096);
}

}  // namespace
}  // namespace boot
