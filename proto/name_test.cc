// SPDX-License-Identifier: Apache-2.0
#include "proto/name.h"

#include <stdint.h>

#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace proto {
namespace {

TEST(Name, EveryByteIsOneOfTheAlphabetOrNot) {
  constexpr std::string_view kAlphabet =
      "abcdefghijklmnopqrstuvwxyz0123456789._/-";
  for (unsigned byte = 0; byte < 256; ++byte) {
    const bool good =
        kAlphabet.find(static_cast<char>(byte)) != std::string_view::npos;
    EXPECT_EQ(IsNameByte(static_cast<uint8_t>(byte)), good) << byte;
    const std::vector<uint8_t> name = {'a', static_cast<uint8_t>(byte), 'z'};
    EXPECT_EQ(HasNameForm(name), good) << byte;
  }
}

TEST(Name, HasSlashesAnywhere) {
  for (const std::string_view name : {"fleet/a-1_b.c", "/", "a//b", ".."}) {
    EXPECT_TRUE(HasNameForm(std::vector<uint8_t>(name.begin(), name.end())))
        << name;
  }
}

TEST(Name, OneToMaxNameSizeBytes) {
  for (size_t size = 0; size < kMaxNameSize + 2; ++size) {
    EXPECT_EQ(HasNameForm(std::vector<uint8_t>(size, 'a')),
              size >= 1 && size <= kMaxNameSize)
        << size;
  }
}

}  // namespace
}  // namespace proto
