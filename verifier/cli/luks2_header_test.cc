// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/luks2_header.h"

#include <cstring>
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
  const auto length = Luks2HeaderLength(Header());
  ASSERT_TRUE(length.ok()) << length.status();
  EXPECT_EQ(*length, 288u * 1024);
}

TEST(Luks2Header, WhatIsNotOneIsRefused) {
  for (const std::string& json :
       {std::string("nonsense"), std::string("[]"), std::string("{}"),
        With("aes-xts-plain64", "cipher_null-ecb"), With("crypt", "linear"),
        With("1048576", "4096"), With("262144", "0"), With("262144", "-1"),
        With("262144", "99999999999"), With("\"262144\"", "262144"),
        With("\"encryption\"", "\"else\"")}) {
    EXPECT_FALSE(Luks2HeaderLength(Header(json)).ok()) << json;
  }
  auto version_1 = Header();
  version_1[7] = 1;
  EXPECT_FALSE(Luks2HeaderLength(version_1).ok());
  auto huge = Header();
  huge[8] = 0xFF;
  EXPECT_FALSE(Luks2HeaderLength(huge).ok());
}

TEST(Luks2Header, EveryTruncationIsRefused) {
  const auto good = Header();
  for (size_t size = 0; size < good.size(); size += 13) {
    EXPECT_FALSE(Luks2HeaderLength(std::span(good).first(size)).ok()) << size;
  }
}

}  // namespace
}  // namespace verifier
