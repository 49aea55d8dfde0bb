// SPDX-License-Identifier: Apache-2.0
#include "crypto/rng.h"

#include <array>
#include <vector>

#include "base/testing/hex.h"
#include "crypto/reasons.h"
#include "crypto/testing/fixed_entropy.h"
#include "gtest/gtest.h"
#include "psa/crypto.h"

namespace crypto {
namespace {

using base::testing::FromText;
using testing::FixedEntropy;

std::vector<uint8_t> First32(Rng& rng) {
  std::vector<uint8_t> out(32);
  EXPECT_TRUE(rng.Generate(out).ok());
  return out;
}

TEST(RngTest, EntropyAndPersonalisationBothMatter) {
  FixedEntropy one(1), again(1), two(2), mixed(1);
  Rng a, b, c, d;
  ASSERT_TRUE(a.Seed(one, {}).ok());
  ASSERT_TRUE(b.Seed(again, {}).ok());
  ASSERT_TRUE(c.Seed(two, {}).ok());
  ASSERT_TRUE(d.Seed(mixed, FromText("a secret")).ok());
  const std::vector<uint8_t> first = First32(a);
  EXPECT_EQ(first, First32(b));
  EXPECT_NE(first, First32(c));
  EXPECT_NE(first, First32(d));
  EXPECT_NE(first, First32(a));
}

TEST(RngTest, FailsWithoutEntropy) {
  FixedEntropy source;
  source.failure = base::Status(base::Code::kUnavailable, kEntropyFailed);
  Rng rng;
  EXPECT_EQ(rng.Seed(source, {}), source.failure);
  EXPECT_FALSE(rng.seeded());
  std::array<uint8_t, 8> out;
  out.fill(0xAA);
  EXPECT_EQ(rng.Generate(out),
            base::Status(base::Code::kFailedPrecondition, kRngNotReady));
  EXPECT_TRUE(base::AllZero(out));
}

TEST(RngTest, ComesBackForEntropyAndReportsWhenThereIsNone) {
  FixedEntropy source;
  Rng rng;
  ASSERT_TRUE(rng.Seed(source, {}).ok());
  const int at_start = source.fills;
  source.failure = base::Status(base::Code::kUnavailable, kEntropyFailed);
  std::array<uint8_t, 16> out;
  int calls = 0;
  base::Status status;
  for (; status.ok() && calls < 100'000; ++calls) status = rng.Generate(out);
  EXPECT_EQ(status, base::Status(base::Code::kUnavailable, kEntropyFailed));
  EXPECT_GT(source.fills, at_start);
  EXPECT_TRUE(base::AllZero(out));
}

TEST(RngTest, LargeRequests) {
  FixedEntropy source;
  Rng rng;
  ASSERT_TRUE(rng.Seed(source, {}).ok());
  std::vector<uint8_t> out(5000);
  ASSERT_TRUE(rng.Generate(out).ok());
  EXPECT_FALSE(base::AllZero(base::Bytes(out).last(64)));
  const std::vector<uint8_t> long_text(Rng::kMaxPersonalisation + 1);
  EXPECT_EQ(rng.Seed(source, long_text).code(), base::Code::kInvalidArgument);
  EXPECT_FALSE(rng.seeded());
}

TEST(RngTest, WipedIsNotSeeded) {
  FixedEntropy source;
  Rng rng;
  ASSERT_TRUE(rng.Seed(source, {}).ok());
  rng.Wipe();
  std::array<uint8_t, 8> out;
  EXPECT_EQ(rng.Generate(out).reason(), kRngNotReady);
  ASSERT_TRUE(rng.Seed(source, {}).ok());
  EXPECT_TRUE(rng.Generate(out).ok());
}

TEST(RngTest, PsaDrawsFromTheInstalledOne) {
  ASSERT_EQ(psa_crypto_init(), PSA_SUCCESS);
  std::array<uint8_t, 32> from_psa = {};
  EXPECT_EQ(psa_generate_random(from_psa.data(), from_psa.size()),
            PSA_ERROR_INSUFFICIENT_ENTROPY);

  FixedEntropy source, same;
  Rng rng, other;
  ASSERT_TRUE(rng.Seed(source, {}).ok());
  ASSERT_TRUE(other.Seed(same, {}).ok());
  InstallPsaRng(&rng);
  EXPECT_EQ(psa_generate_random(from_psa.data(), from_psa.size()), PSA_SUCCESS);
  EXPECT_EQ(First32(other),
            std::vector<uint8_t>(from_psa.begin(), from_psa.end()));
  InstallPsaRng(nullptr);
  EXPECT_EQ(psa_generate_random(from_psa.data(), from_psa.size()),
            PSA_ERROR_INSUFFICIENT_ENTROPY);
  mbedtls_psa_crypto_free();
}

}  // namespace
}  // namespace crypto
