// SPDX-License-Identifier: Apache-2.0
#include "proxy/frame.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "proxy/crc32.h"
#include "proxy/reasons.h"

namespace proxy {
namespace {

// Bytes in memory; at most `step` at a time.
class MemoryStream final : public base::ByteStream {
 public:
  base::Result<size_t> Read(base::MutableBytes out) override {
    const size_t count = std::min({out.size(), bytes.size(), step});
    std::copy_n(bytes.begin(), count, out.begin());
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(count));
    return count;
  }
  base::Result<size_t> Write(base::Bytes in) override {
    const size_t count = std::min({in.size(), step, room});
    bytes.insert(bytes.end(), in.begin(),
                 in.begin() + static_cast<ptrdiff_t>(count));
    room -= count;
    return count;
  }
  std::deque<uint8_t> bytes;
  size_t step = SIZE_MAX;
  size_t room = SIZE_MAX;
};

class FrameTest : public ::testing::Test {
 protected:
  MemoryStream stream_;
  std::unique_ptr<FrameChannel> channel_ =
      std::make_unique<FrameChannel>(stream_);
};

TEST(FrameHeader, GoldenBytes) {
  const auto bytes =
      EncodeFrameHeader({.type = FrameType::kData, .length = 0x1234});
  const std::array<uint8_t, 12> head = {'F', 'L', 'C',  '1',  1, 8,
                                        0,   0,   0x34, 0x12, 0, 0};
  EXPECT_TRUE(base::Equal(base::Bytes(bytes).first(12), head));
  EXPECT_EQ(base::LoadLe<uint32_t>(std::span(bytes).subspan<12, 4>()),
            Crc32(head));
  EXPECT_EQ(ParseFrameHeader(bytes)->length, 0x1234u);
}

TEST(FrameHeader, EveryBitFlipIsAnError) {
  const auto bytes =
      EncodeFrameHeader({.type = FrameType::kHello, .length = 5});
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto bad = bytes;
    bad[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_FALSE(ParseFrameHeader(bad).ok()) << bit;
  }
}

TEST(FrameHeader, RightChecksumDoesNotMakeItRight) {
  const struct {
    size_t at;
    uint8_t value;
    base::Reason reason;
  } rows[] = {
      {0, 'X', kFrameBadMagic},   {4, 2, kFrameBadFlags},
      {5, 0, kFrameUnknownType},  {5, 14, kFrameUnknownType},
      {5, 36, kFrameUnknownType}, {5, 255, kFrameUnknownType},
      {6, 1, kFrameBadFlags},     {7, 0x80, kFrameBadFlags},
      {9, 0x41, kFrameTooLong},   {11, 0xFF, kFrameTooLong},
  };
  for (const auto& row : rows) {
    auto bytes = EncodeFrameHeader({.type = FrameType::kHello, .length = 1});
    bytes[row.at] = row.value;
    base::StoreLe<uint32_t>(Crc32(base::Bytes(bytes).first(12)),
                            std::span(bytes).subspan<12, 4>());
    EXPECT_EQ(ParseFrameHeader(bytes).status().reason(), row.reason)
        << row.at << " " << int{row.value};
  }
}

TEST_F(FrameTest, ArrivesByteByByte) {
  stream_.step = 1;
  const std::vector<uint8_t> body(kMaxFrameBody, 0x42);
  ASSERT_TRUE(channel_->Send(FrameType::kData, body).ok());
  ASSERT_TRUE(channel_->Send(FrameType::kPing, {}).ok());
  const auto first = channel_->Receive();
  ASSERT_TRUE(first.ok() && first->has_value());
  EXPECT_EQ((*first)->type, FrameType::kData);
  EXPECT_TRUE(base::Equal((*first)->body, body));
  const auto second = channel_->Receive();
  ASSERT_TRUE(second.ok() && second->has_value());
  EXPECT_EQ((*second)->type, FrameType::kPing);
  EXPECT_TRUE((*second)->body.empty());
  EXPECT_FALSE(channel_->Receive()->has_value());
}

TEST_F(FrameTest, EveryTruncationWaits) {
  const std::vector<uint8_t> body(40, 0x42);
  ASSERT_TRUE(channel_->Send(FrameType::kData, body).ok());
  const std::deque<uint8_t> whole = stream_.bytes;
  for (size_t size = 0; size < whole.size(); ++size) {
    channel_->Reset();
    stream_.bytes.assign(whole.begin(),
                         whole.begin() + static_cast<ptrdiff_t>(size));
    const auto frame = channel_->Receive();
    ASSERT_TRUE(frame.ok());
    EXPECT_FALSE(frame->has_value()) << size;
  }
}

TEST_F(FrameTest, FullPeerMakesTheNextFrameWait) {
  stream_.room = 20;
  const std::vector<uint8_t> body(100, 0x42);
  ASSERT_TRUE(channel_->Send(FrameType::kData, body).ok());
  EXPECT_FALSE(channel_->idle());
  EXPECT_EQ(channel_->Send(FrameType::kPing, {}).reason(), kSendBusy);
  stream_.room = SIZE_MAX;
  EXPECT_TRUE(channel_->Send(FrameType::kPing, {}).ok());
  EXPECT_EQ((*channel_->Receive())->body.size(), 100u);
  EXPECT_EQ((*channel_->Receive())->type, FrameType::kPing);
}

TEST_F(FrameTest, StaysBroken) {
  stream_.bytes.assign(16, 0);
  EXPECT_EQ(channel_->Receive().status().reason(), kFrameBadMagic);
  EXPECT_EQ(channel_->Receive().status().reason(), kFrameBadMagic);
  EXPECT_EQ(channel_->Flush().status().reason(), kFrameBadMagic);
  channel_->Reset();
  EXPECT_TRUE(channel_->Receive().ok());
}

TEST_F(FrameTest, TooLongABodyIsTheCallersError) {
  const std::vector<uint8_t> body(kMaxFrameBody + 1);
  EXPECT_EQ(channel_->Send(FrameType::kData, body).reason(), kFrameTooLong);
}

}  // namespace
}  // namespace proxy
