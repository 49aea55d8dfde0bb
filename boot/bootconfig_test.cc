// SPDX-License-Identifier: Apache-2.0
#include "boot/bootconfig.h"

#include <stddef.h>
#include <stdint.h>

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "boot/fake_initrd.h"
#include "boot/reasons.h"
#include "gtest/gtest.h"

namespace boot {
namespace {

constexpr size_t kMagicSize = 12;
constexpr size_t kDamaged = SIZE_MAX;

size_t SizeIn(std::string_view initrd) {
  const auto size = BootconfigSize(base::AsBytes(initrd));
  if (size.ok()) return *size;
  EXPECT_EQ(size.status().reason(), kBootconfigDamaged);
  return kDamaged;
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
  // Truncated at the front: its size says more than there is, or is not there.
  for (size_t cut = 1; cut <= trailer.size(); ++cut) {
    const bool magic = trailer.size() - cut >= kMagicSize;
    for (const size_t padding : {size_t{0}, size_t{3}}) {
      EXPECT_EQ(SizeIn(trailer.substr(cut) + std::string(padding, '\0')),
                magic ? kDamaged : 0)
          << cut;
    }
  }
  // At the end: no magic.
  for (size_t size = 0; size < trailer.size(); ++size) {
    EXPECT_EQ(SizeIn(trailer.substr(0, size)), 0u) << size;
  }
  // A flipped bit is another size, another sum or no magic. (One of the text's
  // never keeps the sum.)
  for (size_t bit = 0; bit < 8 * trailer.size(); ++bit) {
    std::string bad = trailer;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    const bool magic = bit / 8 < trailer.size() - kMagicSize;
    EXPECT_EQ(SizeIn("archive" + bad), magic ? kDamaged : 0) << bit;
  }
}

}  // namespace
}  // namespace boot
