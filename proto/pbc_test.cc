// SPDX-License-Identifier: Apache-2.0
#include "proto/pbc.h"

#include <stdint.h>

#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "proto/channel.pb-c.h"

namespace proto::pbc {
namespace {

using Credit = Forelock__Channel__Credit;

const Credit* Read(base::Bytes in, ArenaBase& arena) {
  return Unpack<Credit>(forelock__channel__credit__descriptor, in, arena);
}

TEST(Pbc, PacksUpToTheLimitAndTheOutputsEnd) {
  Credit credit = FORELOCK__CHANNEL__CREDIT__INIT;
  credit.stream = 1;
  credit.bytes = 300;
  const std::vector<uint8_t> wanted = {0x08, 0x01, 0x10, 0xAC, 0x02};
  std::array<uint8_t, 8> out{};
  const auto size = Pack(credit.base, wanted.size(), out);
  ASSERT_TRUE(size.ok());
  EXPECT_TRUE(base::Equal(base::Bytes(out).first(*size), wanted));

  const base::Status full(base::Code::kResourceExhausted, base::kBufferFull);
  out.fill(0xEE);
  EXPECT_EQ(Pack(credit.base, wanted.size() - 1, out).status(), full);
  EXPECT_EQ(Pack(credit.base, out.size(),
                 base::MutableBytes(out).first(wanted.size() - 1))
                .status(),
            full);
  for (const uint8_t byte : out) EXPECT_EQ(byte, 0xEE);  // Nothing written.
}

TEST(Pbc, UnpacksWhatMayBeEmptyAndNothingThatIsCut) {
  UnpackArena<1024> arena;
  const Credit* empty = Read({}, arena);
  ASSERT_NE(empty, nullptr);
  EXPECT_EQ(empty->stream, 0u);
  const std::array<uint8_t, 3> whole = {0x10, 0xAC, 0x02};
  const Credit* credit = Read(whole, arena);
  ASSERT_NE(credit, nullptr);
  EXPECT_EQ(credit->bytes, 300u);
  EXPECT_EQ(Read(base::Bytes(whole).first(2), arena), nullptr);
  EXPECT_EQ(Read(base::Bytes(whole).first(1), arena), nullptr);
}

TEST(Pbc, LeavesUnknownFieldsToTheCaller) {
  UnpackArena<1024> arena;
  const std::array<uint8_t, 2> unknown = {0x78, 0x01};  // Field 15.
  const Credit* credit = Read(unknown, arena);
  ASSERT_NE(credit, nullptr);
  EXPECT_EQ(credit->base.n_unknown_fields, 1u);
}

TEST(Pbc, AFullArenaGivesNoMessage) {
  UnpackArena<16> arena;
  EXPECT_EQ(Read({}, arena), nullptr);
}

}  // namespace
}  // namespace proto::pbc
