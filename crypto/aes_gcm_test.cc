// SPDX-License-Identifier: Apache-2.0
#include "crypto/aes_gcm.h"

#include <array>
#include <vector>

#include "base/testing/hex.h"
#include "crypto/reasons.h"
#include "crypto/testing/heap_watch.h"
#include "gtest/gtest.h"

namespace crypto {
namespace {

using base::testing::FromHex;
using base::testing::ToHex;

template <size_t N>
std::span<const uint8_t, N> Fixed(const std::vector<uint8_t>& bytes) {
  return std::span<const uint8_t, N>(bytes);
}

// McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
class AesGcmTest : public ::testing::Test {
 protected:
  const std::vector<uint8_t> key_ = FromHex(
      "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  const std::vector<uint8_t> nonce_ = FromHex("cafebabefacedbaddecaf888");
  const std::vector<uint8_t> associated_ =
      FromHex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const std::vector<uint8_t> plain_ = FromHex(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  const std::vector<uint8_t> cipher_ = FromHex(
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
      "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662");
  const std::vector<uint8_t> tag_ = FromHex("76fc6ece0f4e1768cddf8853bb2d551b");
};

TEST_F(AesGcmTest, KnownAnswer) {
  Aes256Gcm gcm;
  ASSERT_TRUE(gcm.Init(Fixed<32>(key_)).ok());
  std::vector<uint8_t> cipher(plain_.size());
  std::array<uint8_t, 16> tag;
  ASSERT_TRUE(
      gcm.Seal(Fixed<12>(nonce_), associated_, plain_, cipher, tag).ok());
  EXPECT_EQ(ToHex(cipher), ToHex(cipher_));
  EXPECT_EQ(ToHex(tag), ToHex(tag_));

  // In place, too.
  ASSERT_TRUE(
      gcm.Open(Fixed<12>(nonce_), associated_, cipher, tag, cipher).ok());
  EXPECT_EQ(cipher, plain_);
}

TEST_F(AesGcmTest, EveryFlippedBitIsNoticedAndGivesNothingAway) {
  Aes256Gcm gcm;
  ASSERT_TRUE(gcm.Init(Fixed<32>(key_)).ok());
  const std::vector<uint8_t> zeros(plain_.size());
  std::vector<uint8_t> all = nonce_;
  for (const auto* part : {&associated_, &cipher_, &tag_}) {
    all.insert(all.end(), part->begin(), part->end());
  }
  for (size_t bit = 0; bit < all.size() * 8; ++bit) {
    std::vector<uint8_t> changed = all;
    changed[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    const base::Bytes view(changed);
    std::vector<uint8_t> plain(plain_.size(), 0xAA);
    const base::Status status =
        gcm.Open(view.first<12>(), view.subspan(12, associated_.size()),
                 view.subspan(12 + associated_.size(), cipher_.size()),
                 std::span<const uint8_t, 16>(view.last<16>()), plain);
    EXPECT_EQ(status,
              base::Status(base::Code::kUnauthenticated, kAeadTagMismatch));
    EXPECT_EQ(plain, zeros) << bit;
  }
}

TEST_F(AesGcmTest, NoKeyNoCipher) {
  testing::HeapWatch heap;
  {
    Aes256Gcm gcm;
    std::vector<uint8_t> cipher(plain_.size());
    std::array<uint8_t, 16> tag;
    const base::Status no_key(base::Code::kFailedPrecondition, kAeadKeyMissing);
    EXPECT_EQ(gcm.Seal(Fixed<12>(nonce_), {}, plain_, cipher, tag), no_key);
    ASSERT_TRUE(gcm.Init(Fixed<32>(key_)).ok());
    EXPECT_TRUE(gcm.ready());
    EXPECT_TRUE(gcm.Seal(Fixed<12>(nonce_), {}, plain_, cipher, tag).ok());
    gcm.Wipe();
    EXPECT_FALSE(gcm.ready());
    EXPECT_EQ(heap.now(), 0u);
    EXPECT_EQ(gcm.Open(Fixed<12>(nonce_), {}, cipher, tag, cipher), no_key);
    ASSERT_TRUE(gcm.Init(Fixed<32>(key_)).ok());
    EXPECT_EQ(gcm.Seal(Fixed<12>(nonce_), {}, plain_,
                       base::MutableBytes(cipher).first(1), tag)
                  .code(),
              base::Code::kInvalidArgument);
  }
  EXPECT_EQ(heap.now(), 0u);
}

TEST_F(AesGcmTest, NoHeap) {
  testing::HeapWatch heap;
  heap.FailAfter(0);
  Aes256Gcm gcm;
  EXPECT_EQ(gcm.Init(Fixed<32>(key_)),
            base::Status(base::Code::kResourceExhausted, kTlsOutOfMemory));
  EXPECT_FALSE(gcm.ready());
}

}  // namespace
}  // namespace crypto
