// SPDX-License-Identifier: Apache-2.0
#include "launch/id_block_check.h"

#include <stdio.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "hosted/openssl/openssl.h"
#include "launch/id_block_sign.h"
#include "launch/signing_key.h"
#include "openssl/evp.h"
#include "openssl/pem.h"
#include "sev/id_block.h"

namespace launch {
namespace {

using hosted::openssl::PkeyPtr;

constexpr uint64_t kPolicy = 0x30000;

sev::LaunchDigest Digest() {
  sev::LaunchDigest digest;
  digest.fill(0x11);
  return digest;
}

// Of launch digest 1111... and kPolicy.
PlanIdBlock Signed() {
  const std::string path = testing::TempDir() + "/id.pem";
  const PkeyPtr pair(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
  FILE* file = fopen(path.c_str(), "w");
  EXPECT_NE(file, nullptr);
  PEM_write_PrivateKey(file, pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
  fclose(file);
  const auto key = SigningKey::Load({.name = path});
  EXPECT_TRUE(key.ok()) << key.status();
  sev::IdBlock block;
  block.launch_digest = Digest();
  block.policy = kPolicy;
  const auto made = SignIdBlock(block, *key, nullptr);
  EXPECT_TRUE(made.ok()) << made.status();
  return {.id_block = {made->id_block.begin(), made->id_block.end()},
          .id_auth = {made->id_auth.begin(), made->id_auth.end()}};
}

bool Finds(const std::vector<std::string>& findings, const char* words) {
  return findings.size() == 1 && absl::StrContains(findings[0], words);
}

TEST(CheckIdBlock, EachRuleHasItsFinding) {
  const PlanIdBlock block = Signed();
  const FinishedLaunch launch = {.digest = Digest(), .policy = kPolicy};
  EXPECT_TRUE(CheckIdBlock(block, launch).empty());
  EXPECT_TRUE(CheckIdBlock(block, std::nullopt).empty());

  FinishedLaunch other = launch;
  other.digest[47] ^= 1;
  EXPECT_TRUE(Finds(CheckIdBlock(block, other), "launch digest 1111"));
  other = launch;
  other.policy |= 1;
  EXPECT_TRUE(Finds(CheckIdBlock(block, other), "guest policy 0x30000"));
  other.digest = {};
  EXPECT_EQ(CheckIdBlock(block, other).size(), 2u);

  PlanIdBlock forged = block;
  forged.id_auth[sev::id_auth_layout::IdBlockSignature::kOffset] ^= 1;
  EXPECT_TRUE(Finds(CheckIdBlock(forged, launch), "do not verify"));
  EXPECT_TRUE(Finds(CheckIdBlock(forged, std::nullopt), "do not verify"));

  PlanIdBlock cut = block;
  cut.id_auth.pop_back();
  EXPECT_TRUE(Finds(CheckIdBlock(cut, launch), "malformed"));
  EXPECT_TRUE(Finds(CheckIdBlock({}, std::nullopt), "malformed"));
}

}  // namespace
}  // namespace launch
