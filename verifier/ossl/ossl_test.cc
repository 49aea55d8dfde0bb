// SPDX-License-Identifier: Apache-2.0
#include "verifier/ossl/ossl.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "base/bytes.h"

namespace verifier::ossl {
namespace {

TEST(Ossl, Sha384OfAbc) {  // FIPS 180-4 example
  EXPECT_EQ(Hex(Sha384::Of(AsBytes("abc"))),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
}

TEST(Ossl, HkdfRfc5869Case3) {
  // Case 3 has 42 bytes of output; the first 32 are those of a shorter one.
  const std::vector<uint8_t> key(22, 0x0b);
  EXPECT_EQ(Hex(HkdfSha256(key, "")),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST(Ossl, GcmRoundTripAndEveryFlippedBit) {
  std::array<uint8_t, 32> key;
  RandomBytes(key);
  const std::string_view plain = "sixteen byte key";
  std::vector<uint8_t> sealed =
      Aes256GcmSeal(key, AsBytes("aad"), AsBytes(plain));
  std::vector<uint8_t> out(plain.size());
  ASSERT_TRUE(Aes256GcmOpen(key, AsBytes("aad"), sealed, out));
  EXPECT_TRUE(base::Equal(out, AsBytes(plain)));
  EXPECT_FALSE(Aes256GcmOpen(key, AsBytes("aae"), sealed, out));
  EXPECT_TRUE(base::AllZero(out));
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    sealed[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    EXPECT_FALSE(Aes256GcmOpen(key, AsBytes("aad"), sealed, out)) << bit;
    sealed[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(
        Aes256GcmOpen(key, AsBytes("aad"), std::span(sealed).first(size), out));
  }
}

}  // namespace
}  // namespace verifier::ossl
