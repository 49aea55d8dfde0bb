// SPDX-License-Identifier: Apache-2.0
//
// TlsClient against records that TLS skips and that never end.
#include <algorithm>
#include <vector>

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/testing/memory_pipe.h"
#include "crypto/reasons.h"
#include "crypto/testing/fixed_entropy.h"
#include "crypto/testing/tls_server.h"
#include "crypto/tls_client.h"
#include "gtest/gtest.h"

namespace crypto {
namespace {

using base::Code;
using base::Result;
using base::Status;
using base::Step;
using base::testing::MemoryPipe;
using testing::Identity;
using testing::KeyKind;
using testing::TlsServer;

// A stream that gives `record` for ever once `after` bytes of `lower` have come
// through. Counts what it gives.
class FloodStream final : public base::ByteStream {
 public:
  FloodStream(base::ByteStream& lower, std::vector<uint8_t> record)
      : lower_(lower), record_(std::move(record)) {}
  void FloodAfter(size_t bytes) { after_ = bytes; }
  void FloodNow() { after_ = passed_; }
  size_t given() const { return given_; }
  size_t passed() const { return passed_; }

  Result<size_t> Read(base::MutableBytes out) override {
    if (passed_ < after_) {
      BASE_TRY_ASSIGN(
          const size_t size,
          lower_.Read(out.first(std::min(out.size(), after_ - passed_))));
      passed_ += size;
      return size;
    }
    for (uint8_t& byte : out) byte = record_[given_++ % record_.size()];
    return out.size();
  }
  Result<size_t> Write(base::Bytes bytes) override {
    return lower_.Write(bytes);
  }

 private:
  base::ByteStream& lower_;
  std::vector<uint8_t> record_;
  size_t after_ = SIZE_MAX;
  size_t passed_ = 0;
  size_t given_ = 0;
};

// Records that TLS skips and anybody on the way can make.
const std::vector<uint8_t> kIgnorable[] = {
    {20, 3, 3, 0, 1, 1},       // ChangeCipherSpec
    {21, 3, 3, 0, 2, 1, 90}};  // warning: user_canceled

class TlsClientFloodTest : public ::testing::Test {
 protected:
  testing::SeededRng rng_;
  TlsClient client_;
};

// From no ServerHello to all but the last byte of the server's flight: every
// call returns, and the session ends with a reason.
TEST_F(TlsClientFloodTest, EndsInTheHandshake) {
  const Identity identity = testing::MakeIdentity(KeyKind::kP256);
  const Pin pin = identity.Pin();
  for (const std::vector<uint8_t>& record : kIgnorable) {
    for (size_t after = 0;; after = after * 2 + 127) {
      MemoryPipe pipe;
      FloodStream stream(pipe.a, record);
      stream.FloodAfter(after);
      client_.Wipe();
      ASSERT_TRUE(client_.Start(stream, rng_, {&pin, 1}).ok());
      TlsServer server(pipe.b, identity);
      Result<Step> step = Step::kWaiting;
      for (int calls = 0; step.ok() && *step == Step::kWaiting; ++calls) {
        ASSERT_LT(calls, 50);
        const size_t before = stream.given();
        step = client_.Handshake();
        (void)server.Handshake();
        EXPECT_LE(stream.given() - before, TlsClient::kMaxBytesPerCall);
      }
      if (step.ok()) {  // Done before the flood began.
        EXPECT_EQ(stream.given(), 0u);
        EXPECT_GT(after, 600u);
        break;
      }
      if (after == 0) {
        EXPECT_EQ(step.status(), Status(Code::kDataLoss, kTlsFlood));
        EXPECT_EQ(stream.given(), TlsClient::kMaxIdleBytes);
      }
    }
  }
}

TEST_F(TlsClientFloodTest, EndsAfterTheHandshake) {
  const Identity identity = testing::MakeIdentity(KeyKind::kP256);
  const Pin pin = identity.Pin();
  for (const std::vector<uint8_t>& record : kIgnorable) {
    MemoryPipe pipe;
    FloodStream stream(pipe.a, record);
    client_.Wipe();
    ASSERT_TRUE(client_.Start(stream, rng_, {&pin, 1}).ok());
    TlsServer server(pipe.b, identity);
    Result<Step> step = Step::kWaiting;
    for (int i = 0; i < 50 && step.ok() && *step == Step::kWaiting; ++i) {
      step = client_.Handshake();
      (void)server.Handshake();
    }
    ASSERT_TRUE(step.ok());
    ASSERT_EQ(*step, Step::kDone);
    stream.FloodNow();
    uint8_t bytes[16];
    Result<size_t> got = size_t{0};
    for (int calls = 0; got.ok(); ++calls) {
      ASSERT_LT(calls, 50);
      const size_t before = stream.given();
      got = client_.Read(bytes);
      if (got.ok()) EXPECT_EQ(*got, 0u);
      EXPECT_LE(stream.given() - before, TlsClient::kMaxBytesPerCall);
    }
    // An alert in the clear is refused once there are keys.
    EXPECT_EQ(got.status().code(),
              record[0] == 20 ? Code::kDataLoss : Code::kUnauthenticated)
        << base::NameOf(got.status().reason()).text;
    EXPECT_LE(stream.given(), TlsClient::kMaxIdleBytes);
  }
}

}  // namespace
}  // namespace crypto
