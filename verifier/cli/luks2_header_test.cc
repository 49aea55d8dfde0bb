// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/luks2_header.h"

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"

namespace verifier {
namespace {

constexpr uint64_t kMetadata = 16384;
constexpr char kJson[] =
    R"({"segments":{"0":{"type":"crypt","offset":"1048576","size":"dynamic",)"
    R"("encryption":"aes-xts-plain64"}},)"
    R"("config":{"json_size":"12288","keyslots_size":"262144"}})";

std::vector<uint8_t> Header(const std::string& json = kJson) {
  std::vector<uint8_t> bytes(kMetadata);
  const uint8_t start[] = {'L', 'U', 'K', 'S', 0xBA, 0xBE, 0, 2};
  memcpy(bytes.data(), start, sizeof start);
  base::StoreBe<uint64_t>(kMetadata, std::span(bytes).subspan<8, 8>());
  memcpy(bytes.data() + 4096, json.data(), json.size());
  return bytes;
}

std::string With(const std::string& from, const std::string& to) {
  std::string json = kJson;
  const size_t at = json.find(from);
  EXPECT_NE(at, std::string::npos);
  return json.replace(at, from.size(), to);
}

// `luksFormat --luks2-metadata-size 16k --luks2-keyslots-size 256k`.
TEST(Luks2Header, BothCopiesAndTheKeyslots) {
  const auto header = ParseLuks2Header(Header());
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->length, 288u * 1024);
  EXPECT_TRUE(header->keyslots.empty());
}

TEST(Luks2Header, WhatIsNotOneIsRefused) {
  for (const std::string& json :
       {std::string("nonsense"), std::string("[]"), std::string("{}"),
        With("aes-xts-plain64", "cipher_null-ecb"), With("crypt", "linear"),
        With("1048576", "4096"), With("262144", "0"), With("262144", "-1"),
        With("262144", "99999999999"), With("\"262144\"", "262144"),
        With("\"encryption\"", "\"else\"")}) {
    EXPECT_FALSE(ParseLuks2Header(Header(json)).ok()) << json;
  }
  auto version_1 = Header();
  version_1[7] = 1;
  EXPECT_FALSE(ParseLuks2Header(version_1).ok());
  auto huge = Header();
  huge[8] = 0xFF;
  EXPECT_FALSE(ParseLuks2Header(huge).ok());
}

// Each message names what the disk is, and the way out where there is one.
TEST(Luks2Header, WhatItIsInsteadIsSaid) {
  const auto first_byte = [](size_t at, uint8_t value) {
    auto bytes = Header();
    bytes[at] = value;
    return bytes;
  };
  const std::string requirements =
      R"("config":{"requirements":{"mandatory":["online-reencrypt-v2"]},)";
  const struct {
    std::vector<uint8_t> bytes;
    const char* words;
  } rows[] = {
      {{}, "it has 0 bytes"},
      {first_byte(0, 'M'), "no LUKS magic at its start: it is not encrypted"},
      {first_byte(7, 1), "LUKS version 1; cryptsetup convert --type luks2"},
      {first_byte(7, 3), "LUKS version 3, and a guest takes 2"},
      {first_byte(15, 1), "an impossible metadata size of 16385 bytes"},
      {first_byte(14, 0x80), "cut off: its metadata has 32768 bytes"},
      {Header(With("1048576", "0")), "a header in a file of its own"},
      {Header(With("1048576", "4096")), "begins inside the header"},
      {Header(With("\"crypt\"", "\"hw-opal\"")), "the drive encrypts itself"},
      {Header(With("262144", "0")), "no keyslots area"},
      {Header(With("262144", "262145")), "of 262145 bytes: an odd size"},
      {Header(With("\"config\":{", requirements)),
       "a reencryption that has not ended"},
  };
  for (const auto& row : rows) {
    const auto header = ParseLuks2Header(row.bytes);
    ASSERT_FALSE(header.ok()) << row.words;
    EXPECT_NE(header.status().message().find(row.words), std::string::npos)
        << header.status();
  }
}

TEST(Luks2Header, OddFormsOfTheRequirementsAreNotOurs) {
  for (const char* odd :
       {R"("config":{"requirements":7,)", R"("config":{"requirements":{},)",
        R"("config":{"requirements":{"mandatory":"x"},)",
        R"("config":{"requirements":{"mandatory":[1,"other"]},)"}) {
    EXPECT_TRUE(ParseLuks2Header(Header(With("\"config\":{", odd))).ok())
        << odd;
  }
}

TEST(Luks2Header, Integrity) {
  EXPECT_FALSE(ParseLuks2Header(Header())->integrity);
  EXPECT_TRUE(
      ParseLuks2Header(
          Header(With("\"size\"", R"("integrity":{"type":"hmac"},"size")")))
          ->integrity);
}

TEST(Luks2Header, EveryTruncationIsRefused) {
  const auto good = Header();
  for (size_t size = 0; size < good.size(); size += 13) {
    EXPECT_FALSE(ParseLuks2Header(std::span(good).first(size)).ok()) << size;
  }
}

// `luksFormat --luks2-keyslots-size 66m` is a good disk that no guest takes.
TEST(Luks2Header, OneOverTheLimitIsSaidToBe) {
  const auto keyslots = [](uint64_t bytes) {
    const std::string json = With("262144", std::to_string(bytes));
    return Header(std::string(json).replace(json.find("1048576"), 7,
                                            "18446744073709551104"));
  };
  constexpr uint64_t kLimit = 64 * 1024 * 1024;
  EXPECT_EQ(ParseLuks2Header(keyslots(kLimit - 2 * kMetadata))->length, kLimit);
  for (const uint64_t bytes : {kLimit - 2 * kMetadata + 512,
                               kLimit + 2 * 1024 * 1024, ~uint64_t{511}}) {
    const auto header = ParseLuks2Header(keyslots(bytes));
    ASSERT_FALSE(header.ok()) << bytes;
    EXPECT_NE(header.status().message().find(
                  "a guest takes a header of 64 MiB at most"),
              std::string::npos)
        << header.status();
  }
}

constexpr char kKeyslots[] =
    R"({"keyslots":{"10":{"kdf":{"type":"argon2id","memory":1048576}},)"
    R"("0":{"kdf":{"type":"pbkdf2","iterations":1000}},)"
    R"("2":{"priority":2,"kdf":{"type":"argon2i","memory":65536}},)"
    R"("x":{"kdf":{"memory":9}},"3":7,"4":{"kdf":"none","priority":"high"},)"
    R"("5":{"kdf":{"memory":-1}}},)";

TEST(Luks2Header, KeyslotsInTheOrderOfTrial) {
  const auto header =
      ParseLuks2Header(Header(kKeyslots + std::string(kJson).substr(1)));
  ASSERT_TRUE(header.ok()) << header.status();
  std::vector<unsigned> numbers;
  for (const auto& keyslot : header->keyslots) {
    numbers.push_back(keyslot.number);
  }
  EXPECT_EQ(numbers, (std::vector<unsigned>{2, 0, 5, 10, 4}));
}

// A keyslot that is tried before the right one costs its memory, too.
TEST(Luks2Header, MemoryOfArgon2) {
  Luks2Header header;
  EXPECT_EQ(Argon2MemoryKib(header, std::nullopt), 0u);
  EXPECT_EQ(Argon2MemoryKib(header, 0), 0u);
  header.keyslots = {{.number = 1, .priority = 2, .memory_kib = 100},
                     {.number = 0, .memory_kib = 40},
                     {.number = 2, .memory_kib = 900}};
  EXPECT_EQ(Argon2MemoryKib(header, 1), 100u);
  EXPECT_EQ(Argon2MemoryKib(header, 0), 100u);
  EXPECT_EQ(Argon2MemoryKib(header, 2), 900u);
  // Not known which: nobody can do with less than the smallest.
  EXPECT_EQ(Argon2MemoryKib(header, std::nullopt), 40u);
  EXPECT_EQ(Argon2MemoryKib(header, 7), 40u);
}

TEST(Luks2Header, EveryBitFlipIsBounded) {
  auto bytes = Header(kKeyslots + std::string(kJson).substr(1));
  const size_t end = 4096 + strlen(kKeyslots) + strlen(kJson);
  for (size_t bit = 0; bit < end * 8; ++bit) {
    if (bit == 16 * 8) bit = 4096 * 8;
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    const auto header = ParseLuks2Header(bytes);
    if (header.ok()) {
      EXPECT_LE(header->length, kMaxLuks2Header) << bit;
      EXPECT_LE(header->keyslots.size(), 7u) << bit;
    }
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
  }
}

}  // namespace
}  // namespace verifier
