// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/needles.h"

#include <stdint.h>
#include <sys/mman.h>

#include <algorithm>
#include <span>
#include <vector>

#include "gtest/gtest.h"
#include "psp/message_cipher.h"
#include "sev/guest_message.h"
#include "sev/secrets_page.h"
#include "tests/hostile/nonce_watch.h"
#include "tests/hostile/seeded_random.h"

namespace hostile {
namespace {

using psp::SealMessage;

std::vector<uint8_t> Secret() {
  std::vector<uint8_t> secret(32);
  SeededRandom(1).Fill(secret);
  return secret;
}

TEST(NeedlesTest, FindsAnyPartOf23Bytes) {
  const auto secret = Secret();
  Needles needles;
  needles.Add("secret", secret);
  for (size_t first = 0; first + 23 <= secret.size(); ++first) {
    for (size_t at = 512; at < 520; ++at) {
      std::vector<uint8_t> memory(1000);
      std::copy_n(secret.begin() + static_cast<ptrdiff_t>(first), 23,
                  memory.begin() + static_cast<ptrdiff_t>(at));
      EXPECT_FALSE(needles.FindIn(memory).empty()) << first;
      EXPECT_EQ(needles.CountIn(memory)[0], 0u);
    }
  }
}

TEST(NeedlesTest, FindsNothingElse) {
  std::vector<uint8_t> memory(1 << 20);
  SeededRandom(2).Fill(memory);
  Needles needles;
  needles.Add("secret", Secret());
  EXPECT_TRUE(needles.FindIn(memory).empty());
}

TEST(NeedlesTest, CountsWholeOnes) {
  const auto secret = Secret();
  std::vector<uint8_t> memory(500);
  std::copy(secret.begin(), secret.end(), memory.begin());
  std::copy(secret.begin(), secret.end(), memory.end() - 32);
  Needles needles;
  needles.Add("another", std::vector<uint8_t>(48, 7));
  needles.Add("secret", secret);
  EXPECT_EQ(needles.CountIn(memory), (std::vector<size_t>{0, 2}));
}

TEST(NeedlesTest, CountsAWholeOneWhereverItStands) {
  const auto secret = Secret();
  Needles needles;
  needles.Add("secret", secret);
  std::vector<uint8_t> memory(67);
  for (size_t at = 0; at + secret.size() <= memory.size(); ++at) {
    std::fill(memory.begin(), memory.end(), 0xEE);
    std::copy(secret.begin(), secret.end(),
              memory.begin() + static_cast<ptrdiff_t>(at));
    EXPECT_EQ(needles.CountIn(memory)[0], 1u) << at;
  }
}

TEST(NeedlesTest, LooksAtEveryPageThatWasWritten) {
  constexpr size_t kSize = 64 << 12;
  void* const mapping = mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mapping, MAP_FAILED);
  const std::span<uint8_t> memory(static_cast<uint8_t*>(mapping), kSize);
  for (const size_t page : {3, 4, 63}) memory[page * 4096 + 5] = 1;
  size_t written = 0;
  for (const base::Bytes part : ResidentParts(memory)) {
    written += static_cast<size_t>(std::count(part.begin(), part.end(), 1));
  }
  EXPECT_EQ(written, 3u);
  munmap(mapping, kSize);
}

TEST(NeedlesTest, LooksAtWhatIsSwappedOutAndAtAllThatIsNotKnown) {
  constexpr size_t kSize = 6 << 12;
  const std::vector<uint8_t> memory(kSize);
  const std::vector<unsigned char> resident = {0, 1, 0, 0, 0, 0};
  const std::vector<uint64_t> pagemap = {
      uint64_t{1} << 61, 0, uint64_t{1} << 62, 0, uint64_t{1} << 63, 0};
  const auto parts = ResidentParts(memory, resident, pagemap);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].data(), memory.data() + 4096);
  EXPECT_EQ(parts[0].size(), 2u * 4096);
  EXPECT_EQ(parts[1].data(), memory.data() + 4 * 4096);
  EXPECT_EQ(parts[1].size(), 4096u);
  const auto all = ResidentParts(memory, resident, {});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].size(), kSize);
}

class NonceWatchTest : public ::testing::Test {
 protected:
  NonceWatchTest() {
    SeededRandom(3).Fill(*key_.ResizeForWrite(sev::kVmpckSize));
  }
  // A request of the guest.
  void Seal(uint64_t number, uint8_t content) {
    const std::vector<uint8_t> payload(96, content);
    SealMessage(key_,
                {.sequence_number = number,
                 .size = static_cast<uint16_t>(payload.size())},
                payload, page_);
  }
  bool Bad() { return watch_.Saw(page_, key_).has_value(); }

  sev::Vmpck key_;
  std::array<uint8_t, sev::kMessagePageSize> page_{};
  NonceWatch watch_;
};

TEST_F(NonceWatchTest, FindsTwoMessagesUnderOneNumber) {
  Seal(1, 7);
  EXPECT_FALSE(Bad());
  Seal(3, 7);
  EXPECT_FALSE(Bad());
  Seal(1, 8);
  EXPECT_TRUE(Bad());
}

TEST_F(NonceWatchTest, TheSameBytesAgainAreARetry) {
  Seal(1, 7);
  EXPECT_FALSE(Bad());
  page_.back() = 1;  // Behind the message: the host's.
  EXPECT_FALSE(Bad());
  EXPECT_EQ(watch_.repetitions(), 1);
}

TEST_F(NonceWatchTest, WhatTheHostWroteIsNotTheGuests) {
  Seal(1, 7);
  EXPECT_FALSE(Bad());
  page_[200] ^= 1;
  EXPECT_FALSE(Bad());
  EXPECT_EQ(watch_.messages(), 1u);
}

}  // namespace
}  // namespace hostile
