// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <type_traits>

#include "base/bytes.h"
#include "base/reasons.h"
#include "base/result.h"
#include "base/secret_buffer.h"
#include "base/time.h"
#include "gtest/gtest.h"

namespace base {
namespace {

TEST(Status, CarriesCodeAndReasonInOneWord) {
  const Status status(Code::kDataLoss, kBytesLeftOver);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_EQ(status.reason(), kBytesLeftOver);
  EXPECT_EQ(status.raw(), 0x4241020Fu);
  EXPECT_STREQ(NameOf(status.reason()).text, "BA2");
  EXPECT_STREQ(NameOf(Reason('X', 'Y', 250)).text, "XY250");
  EXPECT_STREQ(NameOf(Reason('X', 'Y', 30)).text, "XY30");
}

TEST(ByteReader, NestedLengthsCannotRunOver) {
  // A prefix of 5 with 4 bytes behind it.
  const std::array<uint8_t, 8> in = {5, 0, 0, 0, 1, 2, 3, 4};
  ByteReader reader(in);
  EXPECT_EQ(reader.Prefixed32(16).status().reason(), kBytesTooShort);
  ByteReader limited(in);
  EXPECT_EQ(limited.Prefixed32(4).status().reason(), kLengthOverLimit);
}

TEST(ByteReader, EveryTruncationFails) {
  const std::array<uint8_t, 15> in = {1, 2,  3,  4,  5,  6,  7, 8,
                                      9, 10, 11, 12, 13, 14, 15};
  for (size_t size = 0; size <= in.size(); ++size) {
    ByteReader reader(Bytes(in).first(size));
    auto parse = [&]() -> Status {
      BASE_TRY(reader.U8());
      BASE_TRY(reader.U16());
      BASE_TRY(reader.U32());
      BASE_TRY(reader.U64());
      return reader.ExpectEnd();
    };
    EXPECT_EQ(parse().ok(), size == in.size()) << size;
  }
}

TEST(ByteReader, IsLittleEndianUnlessItSaysBe) {
  const std::array<uint8_t, 8> in = {0x78, 0x56, 0x34, 0x12, 1, 2, 3, 4};
  ByteReader reader(in);
  EXPECT_EQ(*reader.U32(), 0x12345678u);
  EXPECT_EQ(*reader.U32Be(), 0x01020304u);
}

TEST(ByteWriter, StopsAtItsEnd) {
  std::array<uint8_t, 7> out{};
  ByteWriter writer(MutableBytes(out).first(6));
  EXPECT_TRUE(writer.U32(0x04030201).ok());
  EXPECT_EQ(writer.U32(1).reason(), kBufferFull);
  EXPECT_TRUE(writer.U16(0x0605).ok());
  EXPECT_EQ(writer.U8(1).reason(), kBufferFull);
  EXPECT_EQ(out, (std::array<uint8_t, 7>{1, 2, 3, 4, 5, 6, 0}));
}

TEST(SecretBuffer, MoveAndShrinkLeaveNothingBehind) {
  static_assert(!std::is_copy_constructible_v<SecretBuffer<4>>);
  const std::array<uint8_t, 4> key = {1, 2, 3, 4};
  auto secret = SecretBuffer<4>::CopyFrom(key);
  ASSERT_TRUE(secret.ok());
  const uint8_t* old = secret->RevealSecret().data();
  SecretBuffer<4> other = *std::move(secret);
  EXPECT_TRUE(AllZero({old, 4}));
  EXPECT_TRUE(other.EqualsConstantTime(key));
  ASSERT_TRUE(other.ResizeForWrite(2).ok());
  EXPECT_EQ(other.RevealSecret().data()[2], 0);
  EXPECT_FALSE(other.EqualsConstantTime(key));
  EXPECT_EQ(SecretBuffer<3>::CopyFrom(key).status().reason(), kSecretTooLarge);
}

class StoppedClock final : public Clock {
 public:
  Instant Now() override { return now; }
  void Relax() override {}
  Instant now{5};
};

TEST(Clock, BehindTheEndEveryDeadlineHasPassed) {
  StoppedClock clock;
  EXPECT_TRUE(clock.Passed(Instant{5}));
  EXPECT_FALSE(clock.Passed(Instant{6}));
  clock.EndAt(Instant{6});
  EXPECT_FALSE(clock.Passed(Instant{9}));
  clock.now = Instant{6};
  EXPECT_TRUE(clock.Passed(Instant{9}));
  EXPECT_TRUE(clock.Passed(Instant{UINT64_MAX}));
}

TEST(Instant, AddingSaturates) {
  EXPECT_EQ(Instant{5} + Milliseconds{2}, Instant{2000005});
  EXPECT_EQ(Instant{5} + Milliseconds{UINT64_MAX}, Instant{UINT64_MAX});
}

}  // namespace
}  // namespace base
