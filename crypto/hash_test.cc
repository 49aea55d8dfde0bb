// SPDX-License-Identifier: Apache-2.0
#include "crypto/hash.h"

#include <vector>

#include "base/testing/hex.h"
#include "gtest/gtest.h"

namespace crypto {
namespace {

using base::testing::FromText;
using base::testing::ToHex;

// FIPS 180-4 examples ("abc" and the empty message).
TEST(HashTest, KnownAnswers) {
  const std::vector<uint8_t> abc = FromText("abc");
  EXPECT_EQ(ToHex(Sha256::Of(abc)),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Sha384::Of(abc)),
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
            "8086072ba1e7cc2358baeca134c825a7");
  EXPECT_EQ(ToHex(Sha512::Of(abc)),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(ToHex(Sha256::Of({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ToHex(Sha384::Of({})),
            "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
            "274edebfe76f65fbd51ad2f14898b95b");
}

TEST(HashTest, PartsHashLikeTheWhole) {
  std::vector<uint8_t> bytes(300);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i);
  const base::Bytes all(bytes);
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    Sha256 a;
    a.Update(all.first(cut));
    a.Update(all.subspan(cut));
    EXPECT_EQ(a.Finish(), Sha256::Of(all));
    Sha384 b;
    b.Update(all.first(cut));
    b.Update(all.subspan(cut));
    EXPECT_EQ(b.Finish(), Sha384::Of(all));
    Sha512 c;
    c.Update(all.first(cut));
    c.Update(all.subspan(cut));
    EXPECT_EQ(c.Finish(), Sha512::Of(all));
  }
}

}  // namespace
}  // namespace crypto
