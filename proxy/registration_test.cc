// SPDX-License-Identifier: Apache-2.0
#include "proxy/registration.h"

#include <algorithm>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "proxy/crc32.h"
#include "proxy/page_layout.h"
#include "proxy/reasons.h"

namespace proxy {
namespace {

constexpr Registration kGood = {
    .gpa = 0x200000, .length = kSharedRangeSize, .session = 7};

RegistrationRecord WithChecksum(RegistrationRecord record) {
  base::StoreLe<uint32_t>(Crc32(base::Bytes(record).first(24)),
                          std::span(record).subspan<24, 4>());
  return record;
}

TEST(Crc32, HasTheStandardCheckValue) {
  constexpr uint8_t kDigits[] = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
  EXPECT_EQ(Crc32(kDigits), 0xCBF43926u);
}

TEST(Registration, GoldenBytes) {
  const RegistrationRecord record = EncodeRegistration(kGood);
  const std::array<uint8_t, 24> head = {'F', 'L',  'C',  'R', 1, 0, 0, 0,
                                        0,   0,    0x20, 0,   0, 0, 0, 0,
                                        0,   0x10, 0x02, 0,   7, 0, 0, 0};
  EXPECT_TRUE(base::Equal(base::Bytes(record).first(24), head));
  ASSERT_TRUE(IsRegistration(record));
  EXPECT_EQ(*ParseRegistration(record), kGood);
}

TEST(Registration, EveryBitFlipIsNoticed) {
  const RegistrationRecord record = EncodeRegistration(kGood);
  for (size_t bit = 0; bit < record.size() * 8; ++bit) {
    RegistrationRecord bad = record;
    bad[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_FALSE(IsRegistration(bad)) << bit;
  }
}

TEST(Registration, WildRangesAreRefused) {
  const uint64_t limit = kSharedRangeLimit;
  const Registration wild[] = {
      {.gpa = 1, .length = kSharedRangeSize, .session = 1},
      {.gpa = 0x200800, .length = kSharedRangeSize, .session = 1},
      {.gpa = limit, .length = kSharedRangeSize, .session = 1},
      {.gpa = limit - kPageSize, .length = kSharedRangeSize, .session = 1},
      {.gpa = UINT64_MAX - 4095, .length = kSharedRangeSize, .session = 1},
      {.gpa = uint64_t{1} << 63, .length = kSharedRangeSize, .session = 1},
      {.gpa = 0x200000, .length = 0, .session = 1},
      {.gpa = 0x200000, .length = kPageSize, .session = 1},
      {.gpa = 0x200000, .length = 0xFFFFF000, .session = 1},
  };
  for (const Registration& registration : wild) {
    EXPECT_EQ(
        ParseRegistration(EncodeRegistration(registration)).status().reason(),
        kSharedRangeInvalid)
        << registration.gpa << " " << registration.length;
  }
}

TEST(Registration, UnknownVersionFlagsAndSessionZeroAreRefused) {
  for (const size_t at : {4, 5, 6, 7}) {
    RegistrationRecord record = EncodeRegistration(kGood);
    record[at] ^= 0x80;
    record = WithChecksum(record);
    ASSERT_TRUE(IsRegistration(record));
    EXPECT_EQ(ParseRegistration(record).status().reason(),
              kRegistrationMalformed);
  }
  Registration zero = kGood;
  zero.session = 0;
  EXPECT_EQ(ParseRegistration(EncodeRegistration(zero)).status().reason(),
            kRegistrationMalformed);
}

}  // namespace
}  // namespace proxy
