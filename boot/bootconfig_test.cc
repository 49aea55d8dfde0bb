// SPDX-License-Identifier: Apache-2.0
#include "boot/bootconfig.h"

#include <stddef.h>

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "boot/fake_initrd.h"
#include "gtest/gtest.h"

namespace boot {
namespace {

size_t SizeIn(std::string_view initrd) {
  return BootconfigSize(base::AsBytes(initrd));
}

TEST(BootconfigTest, FindsATrailer) {
  const std::string trailer = BootconfigTrailer("kernel.quiet\n");
  EXPECT_EQ(SizeIn("archive" + trailer), trailer.size());
  EXPECT_EQ(SizeIn(trailer), trailer.size());
  for (size_t padding = 1; padding <= 3; ++padding) {
    EXPECT_EQ(SizeIn("archive" + trailer + std::string(padding, '\0')),
              trailer.size() + padding);
  }
  EXPECT_EQ(SizeIn(BootconfigTrailer("")), 20u);
}

TEST(BootconfigTest, TakesWhatLinuxTakesOnly) {
  const std::string trailer = BootconfigTrailer("kernel.quiet\n");
  EXPECT_EQ(SizeIn(""), 0u);
  EXPECT_EQ(SizeIn(trailer + std::string(4, '\0')), 0u);
  EXPECT_EQ(SizeIn(trailer + "archive"), 0u);
  // Truncated at the front: its size says more than there is.
  for (size_t cut = 1; cut <= trailer.size(); ++cut) {
    EXPECT_EQ(SizeIn(std::string_view(trailer).substr(cut)), 0u) << cut;
  }
  // A flipped bit is another size, another sum or no magic. (One of the text's
  // never keeps the sum.)
  for (size_t bit = 0; bit < 8 * trailer.size(); ++bit) {
    std::string bad = trailer;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    EXPECT_EQ(SizeIn("archive" + bad), 0u) << bit;
  }
}

}  // namespace
}  // namespace boot
