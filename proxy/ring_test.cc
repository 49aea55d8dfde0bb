// SPDX-License-Identifier: Apache-2.0
#include "proxy/ring.h"

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "proxy/page_layout.h"
#include "proxy/reasons.h"
#include "proxy/shared_range.h"

namespace proxy {
namespace {

class RingTest : public ::testing::Test {
 protected:
  RingTest() {
    writer_.Reset(range_, kToHostRing);
    reader_.Reset(range_, kToHostRing);
  }

  struct alignas(kPageSize) Memory {
    uint8_t bytes[kSharedRangeSize] = {};
  };
  std::unique_ptr<Memory> memory_ = std::make_unique<Memory>();
  SharedRange range_ = {memory_->bytes, 0, kSharedRangeSize};
  RingWriter writer_;
  RingReader reader_;
};

TEST_F(RingTest, RandomChunksArriveInOrderPastTheWrapOfTheRing) {
  std::mt19937 random(1);
  uint8_t next_in = 0;
  uint8_t next_out = 0;
  size_t total = 0;
  while (total < 10 * kRingSize) {
    std::vector<uint8_t> chunk(random() % 30000);
    uint8_t value = next_in;
    for (uint8_t& byte : chunk) byte = value++;
    const auto written = writer_.Write(chunk);
    ASSERT_TRUE(written.ok());
    next_in = static_cast<uint8_t>(next_in + *written);
    std::vector<uint8_t> out(random() % 30000);
    const auto read = reader_.Read(out);
    ASSERT_TRUE(read.ok());
    for (size_t i = 0; i < *read; ++i) ASSERT_EQ(out[i], next_out++);
    total += *read;
  }
}

TEST_F(RingTest, FullRingTakesNothing) {
  const std::vector<uint8_t> much(kRingSize + 5, 1);
  EXPECT_EQ(*writer_.Write(much), kRingSize);
  EXPECT_EQ(*writer_.Write(much), 0u);
  std::vector<uint8_t> out(3);
  EXPECT_EQ(*reader_.Read(out), 3u);
  EXPECT_EQ(*writer_.Write(much), 3u);
  // Nothing beside the ring was touched.
  for (uint32_t i = page::kToGuestData; i < kSharedRangeSize; ++i) {
    ASSERT_EQ(memory_->bytes[i], 0);
  }
}

TEST_F(RingTest, ReaderRefusesWildHeads) {
  for (const uint32_t head : {kRingSize + 1, 0x80000000u, 0xFFFFFFFFu}) {
    reader_.Reset(range_, kToHostRing);
    range_.Store32(page::kToHostHead, head);
    std::vector<uint8_t> out(16);
    EXPECT_EQ(reader_.Read(out).status().reason(), kRingIndexWild) << head;
  }
}

TEST_F(RingTest, ReaderRefusesAHeadThatGoesBack) {
  range_.Store32(page::kToHostHead, 100);
  EXPECT_EQ(*reader_.Available(), 100u);
  range_.Store32(page::kToHostHead, 99);
  EXPECT_EQ(reader_.Available().status().reason(), kRingIndexWild);
}

TEST_F(RingTest, WriterRefusesWildTails) {
  const std::vector<uint8_t> bytes(100, 1);
  for (const uint32_t tail : {101u, kRingSize, 0x80000000u, 0xFFFFFFFFu}) {
    writer_.Reset(range_, kToHostRing);
    range_.Store32(page::kToHostTail, 0);
    ASSERT_TRUE(writer_.Write(bytes).ok());
    range_.Store32(page::kToHostTail, tail);
    EXPECT_EQ(writer_.Write(bytes).status().reason(), kRingIndexWild) << tail;
  }
}

TEST_F(RingTest, WriterRefusesATailThatGoesBack) {
  const std::vector<uint8_t> bytes(100, 1);
  ASSERT_TRUE(writer_.Write(bytes).ok());
  range_.Store32(page::kToHostTail, 50);
  ASSERT_TRUE(writer_.Write(bytes).ok());
  range_.Store32(page::kToHostTail, 49);
  EXPECT_EQ(writer_.Write(bytes).status().reason(), kRingIndexWild);
}

}  // namespace
}  // namespace proxy
