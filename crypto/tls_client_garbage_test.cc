// SPDX-License-Identifier: Apache-2.0
//
// TlsClient against bytes that no server of any stack sends.
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/reasons.h"
#include "base/testing/hex.h"
#include "base/testing/memory_pipe.h"
#include "crypto/reasons.h"
#include "crypto/testing/fixed_entropy.h"
#include "crypto/tls_client.h"
#include "gtest/gtest.h"

namespace crypto {
namespace {

using base::Code;
using base::Result;
using base::Step;
using base::testing::MemoryPipe;

// Whatever a server, or who plays it, sends is its fault and no bug of ours.
TEST(TlsClientGarbageTest, OddRecordsAndHellosAreTheServersFault) {
  testing::SeededRng rng;
  TlsClient client;
  const Pin pin = {};
  const auto hello = [](std::span<const uint8_t> session_id,
                        std::string_view extensions) {
    // ServerHello; the random of a HelloRetryRequest.
    std::vector<uint8_t> body = base::testing::FromHex(
        "0303cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c");
    body.push_back(static_cast<uint8_t>(session_id.size()));
    body.insert(body.end(), session_id.begin(), session_id.end());
    const auto rest =
        base::testing::FromHex(std::string("130200") + std::string(extensions));
    body.insert(body.end(), rest.begin(), rest.end());
    const auto size = static_cast<uint8_t>(body.size());
    std::vector<uint8_t> record = {22, 3, 3, 0,   uint8_t(size + 4),
                                   2,  0, 0, size};
    record.insert(record.end(), body.begin(), body.end());
    return record;
  };
  const std::string filling(2 * 20'000, 'a');
  using Bytes = std::vector<uint8_t>;
  const std::function<Bytes(std::span<const uint8_t>)> rows[] = {
      [&](auto) {  // a record of 65535 bytes
        return base::testing::FromHex("160303ffff" + filling);
      },
      [&](auto) {  // a handshake message of 16 MiB
        return base::testing::FromHex("160303400002ffffff" +
                                      filling.substr(0, 2 * 16'380));
      },
      [&](auto id) { return hello(id, "000c002b00020304003300020019"); },
      [&](auto id) { return hello(id, "000c002b0002030400330002ffff"); },
      [&](auto id) { return hello(id, "000c002b00020304003300020000"); },
      [&](auto id) { return hello(id, "000c002b00020304003300020017"); },
      [&](auto id) { return hello(id, "0006002b00020304"); },
  };
  for (const auto& row : rows) {
    MemoryPipe pipe;
    client.Wipe();
    ASSERT_TRUE(client.Start(pipe.a, rng, {&pin, 1}).ok());
    ASSERT_TRUE(client.Handshake().ok());
    Bytes sent(4096);
    const auto size = pipe.b.Read(sent);
    ASSERT_TRUE(size.ok());
    // Behind the headers of record and message, version and random.
    constexpr size_t kSessionId = 5 + 4 + 2 + 32;
    const std::span id = std::span<const uint8_t>(sent).subspan(
        kSessionId + 1, sent[kSessionId]);
    const Bytes answer = row(id);
    ASSERT_EQ(*pipe.b.Write(answer), answer.size());
    pipe.b.Close();
    Result<Step> step = Step::kWaiting;
    for (int i = 0; i < 20 && step.ok(); ++i) step = client.Handshake();
    ASSERT_FALSE(step.ok());
    EXPECT_NE(step.status().code(), Code::kInternal)
        << &row - rows << " " << base::NameOf(step.status().reason()).text;
    EXPECT_FALSE(step.status().reason() == kTlsInternal) << &row - rows;
  }
}

}  // namespace
}  // namespace crypto
