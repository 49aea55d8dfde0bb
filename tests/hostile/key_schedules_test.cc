// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/key_schedules.h"

#include <stdint.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "tests/hostile/seeded_random.h"

namespace hostile {
namespace {

// FIPS 197, appendix A.1 and A.3.
constexpr std::string_view kSchedule128 =
    "2b7e151628aed2a6abf7158809cf4f3ca0fafe1788542cb123a339392a6c7605"
    "f2c295f27a96b9435935807a7359f67f3d80477d4716fe3e1e237e446d7a883b"
    "ef44a541a8525b7fb671253bdb0bad00d4d1c6f87c839d87caf2b8bc11f915bc"
    "6d88a37a110b3efddbf98641ca0093fd4e54f70e5f5fc9f384a64fb24ea6dc4f"
    "ead27321b58dbad2312bf5607f8d292fac7766f319fadc2128d12941575c006e"
    "d014f9a8c9ee2589e13f0cc8b6630ca6";
constexpr std::string_view kSchedule256 =
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
    "9ba354118e6925afa51a8b5f2067fcdea8b09c1a93d194cdbe49846eb75d5b9a"
    "d59aecb85bf3c917fee94248de8ebe96b5a9328a2678a647983122292f6c79b3"
    "812c81addadf48ba24360af2fab8b46498c5bfc9bebd198e268c3ba709e04214"
    "68007bacb2df331696e939e46c518d80c814e20476a9fb8a5025c02d59c58239"
    "de1369676ccc5a71fa2563959674ee155886ca5d2e2f31d77e0af1fa27cf73c3"
    "749c47ab18501ddae2757e4f7401905acafaaae3e4d59b349adf6acebd10190d"
    "fe4890d1e6188d0b046df344706c631e";

std::vector<uint8_t> Bytes(std::string_view hex) {
  std::string text;
  EXPECT_TRUE(absl::HexStringToBytes(hex, &text));
  return {text.begin(), text.end()};
}
std::vector<uint8_t> Noise(size_t size) {
  std::vector<uint8_t> bytes(size);
  SeededRandom(1).Fill(bytes);
  return bytes;
}

TEST(KeySchedules, TheExamplesOfTheStandardAreFoundAtAnyWord) {
  for (const auto& [hex, bits] :
       {std::pair{kSchedule128, 128}, std::pair{kSchedule256, 256}}) {
    const std::vector<uint8_t> schedule = Bytes(hex);
    ASSERT_EQ(schedule.size(), bits == 128 ? 176u : 240u);
    for (const size_t at :
         {size_t{0}, size_t{4}, size_t{1000}, size_t{4096} - schedule.size()}) {
      std::vector<uint8_t> memory = Noise(4096);
      std::copy(schedule.begin(), schedule.end(), memory.begin() + at);
      const std::vector<KeySchedule> found = FindKeySchedules(memory);
      ASSERT_EQ(found.size(), 1u);
      EXPECT_EQ(found[0].offset, at);
      EXPECT_EQ(found[0].key_bits, bits);
    }
  }
}

TEST(KeySchedules, AnyBitCounts) {
  for (const std::string_view hex : {kSchedule128, kSchedule256}) {
    std::vector<uint8_t> schedule = Bytes(hex);
    for (size_t bit = 0; bit < 8 * schedule.size(); ++bit) {
      schedule[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      EXPECT_TRUE(FindKeySchedules(schedule).empty()) << bit;
      schedule[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    }
  }
}

TEST(KeySchedules, NoiseZerosAndPartsAreNone) {
  EXPECT_TRUE(FindKeySchedules(Noise(4 << 20)).empty());
  EXPECT_TRUE(FindKeySchedules(std::vector<uint8_t>(4096)).empty());
  EXPECT_TRUE(FindKeySchedules(std::vector<uint8_t>(4096, 0xFF)).empty());
  const std::vector<uint8_t> schedule = Bytes(kSchedule256);
  for (size_t size = 0; size < schedule.size(); ++size) {
    EXPECT_TRUE(FindKeySchedules(base::Bytes(schedule).first(size)).empty());
  }
}

}  // namespace
}  // namespace hostile
