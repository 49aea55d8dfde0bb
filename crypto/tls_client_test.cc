// SPDX-License-Identifier: Apache-2.0
//
// TlsClient (Mbed TLS) against a server of another stack (OpenSSL).
#include "crypto/tls_client.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/testing/hex.h"
#include "base/testing/memory_pipe.h"
#include "crypto/reasons.h"
#include "crypto/testing/fixed_entropy.h"
#include "crypto/testing/tls_server.h"
#include "gtest/gtest.h"

namespace crypto {
namespace {

using base::Code;
using base::Result;
using base::Status;
using base::Step;
using base::testing::FromText;
using base::testing::MemoryPipe;
using testing::Identity;
using testing::KeyKind;
using testing::MakeIdentity;
using testing::TlsServer;
using testing::TlsServerOptions;

// Made once: RSA keys are slow to make.
const Identity& IdentityOf(KeyKind kind) {
  static std::array<std::unique_ptr<Identity>, 5> made;
  auto& slot = made[static_cast<size_t>(kind)];
  if (!slot) slot = std::make_unique<Identity>(MakeIdentity(kind));
  return *slot;
}

class TlsClientTest : public ::testing::Test {
 protected:
  void StartClient(std::span<const Pin> pins) {
    ASSERT_TRUE(client_.Start(pipe_.a, rng_, pins).ok());
  }
  void StartBoth(const Identity& identity,
                 const TlsServerOptions& options = {}) {
    const Pin pin = identity.Pin();
    StartClient({&pin, 1});
    server_.emplace(pipe_.b, identity, options);
  }

  // Turns both ends until the client is done or failed, or neither moves.
  Result<Step> RunHandshake() {
    for (;;) {
      const size_t before = pipe_.a.written() + pipe_.b.written();
      const size_t waiting = pipe_.a.waiting() + pipe_.b.waiting();
      const Result<Step> step = client_.Handshake();
      if (server_) (void)server_->Handshake();
      if (!step.ok() || *step == Step::kDone) return step;
      if (pipe_.a.written() + pipe_.b.written() == before &&
          pipe_.a.waiting() + pipe_.b.waiting() == waiting) {
        return Step::kWaiting;
      }
    }
  }

  // Sends `sent` to the server, which must read exactly that.
  void ExpectClientToServer(const std::vector<uint8_t>& sent) {
    std::vector<uint8_t> received;
    std::vector<uint8_t> part(700);
    size_t done = 0;
    for (int turn = 0; received.size() < sent.size(); ++turn) {
      ASSERT_LT(turn, 1'000'000);
      if (done < sent.size()) {
        const Result<size_t> n = client_.Write(base::Bytes(sent).subspan(done));
        ASSERT_TRUE(n.ok());
        done += *n;
      } else {
        ASSERT_TRUE(client_.Flush().ok());
      }
      const Result<size_t> n = server_->Read(part);
      ASSERT_TRUE(n.ok()) << server_->error();
      received.insert(received.end(), part.begin(),
                      part.begin() + static_cast<ptrdiff_t>(*n));
    }
    EXPECT_EQ(received, sent);
  }

  void ExpectServerToClient(const std::vector<uint8_t>& sent) {
    ASSERT_EQ(*server_->Write(sent), sent.size());
    std::vector<uint8_t> received;
    std::vector<uint8_t> part(700);
    for (int turn = 0; received.size() < sent.size(); ++turn) {
      ASSERT_LT(turn, 1'000'000);
      server_->Pump();
      const Result<size_t> n = client_.Read(part);
      ASSERT_TRUE(n.ok());
      received.insert(received.end(), part.begin(),
                      part.begin() + static_cast<ptrdiff_t>(*n));
    }
    EXPECT_EQ(received, sent);
  }

  testing::SeededRng rng_;
  MemoryPipe pipe_;
  std::optional<TlsServer> server_;
  TlsClient client_;
};

class TlsClientKeyTest : public TlsClientTest,
                         public ::testing::WithParamInterface<KeyKind> {};

TEST_P(TlsClientKeyTest, HandshakeDataExporterClose) {
  StartBoth(IdentityOf(GetParam()));
  const Result<Step> step = RunHandshake();
  ASSERT_TRUE(step.ok()) << base::NameOf(step.status().reason()).text;
  ASSERT_EQ(*step, Step::kDone);
  EXPECT_STREQ(SSL_get_cipher(server_->ssl()), "TLS_AES_256_GCM_SHA384");

  ExpectClientToServer(FromText("hello"));
  ExpectServerToClient(FromText("good day"));
  std::vector<uint8_t> large(100'000);
  for (size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<uint8_t>(i * 7);
  ExpectClientToServer(large);
  ExpectServerToClient(large);

  // Two stacks, one exporter.
  std::array<uint8_t, 48> ours, theirs, other;
  const std::vector<uint8_t> context =
      FromText("32 bytes of nonce, or thereabout");
  ASSERT_TRUE(client_.Export("EXPORTER-test", context, ours).ok());
  ASSERT_TRUE(server_->Export("EXPORTER-test", context, theirs).ok());
  EXPECT_EQ(ours, theirs);
  ASSERT_TRUE(client_.Export("EXPORTER-test", FromText("x"), other).ok());
  EXPECT_NE(ours, other);

  EXPECT_EQ(*client_.Close(), Step::kDone);
  EXPECT_EQ(*client_.Close(), Step::kDone);
  uint8_t byte;
  EXPECT_FALSE(server_->Read({&byte, 1}).ok());
  EXPECT_EQ(server_->error(), "close_notify");
  EXPECT_EQ(client_.Write({&byte, 1}).status().reason(), kTlsWrongState);
}

INSTANTIATE_TEST_SUITE_P(Curves, TlsClientKeyTest,
                         ::testing::Values(KeyKind::kP256, KeyKind::kP384));

TEST_F(TlsClientTest, EveryPinCounts) {
  const Identity& identity = IdentityOf(KeyKind::kP256);
  std::array<Pin, TlsClient::kMaxPins> pins = {};
  pins.back() = identity.Pin();
  StartClient(pins);
  server_.emplace(pipe_.b, identity);
  EXPECT_EQ(*RunHandshake(), Step::kDone);
}

TEST_F(TlsClientTest, PinMismatchSendsNoFinishedAndNoData) {
  Pin pin = IdentityOf(KeyKind::kP256).Pin();
  pin.back() ^= 1;
  StartClient({&pin, 1});
  server_.emplace(pipe_.b, IdentityOf(KeyKind::kP256));
  const Status expected(Code::kUnauthenticated, kPinMismatch);
  EXPECT_EQ(RunHandshake().status(), expected);
  EXPECT_FALSE(SSL_is_init_finished(server_->ssl()));
  // And it stays so.
  uint8_t byte = 0;
  EXPECT_EQ(client_.Handshake().status(), expected);
  EXPECT_EQ(client_.Write({&byte, 1}).status(), expected);
  EXPECT_EQ(client_.Read({&byte, 1}).status(), expected);
  EXPECT_EQ(client_.Close().status(), expected);
  std::array<uint8_t, 48> out;
  EXPECT_EQ(client_.Export("EXPORTER-test", {}, out), expected);
  EXPECT_TRUE(base::AllZero(out));
}

TEST_F(TlsClientTest, ThePinOnTheSecondCertificateIsNoPin) {
  const Identity& pinned = IdentityOf(KeyKind::kP384);
  const Pin pin = pinned.Pin();
  StartClient({&pin, 1});
  TlsServerOptions options;
  options.more_certificates = {pinned.certificate.get()};
  server_.emplace(pipe_.b, IdentityOf(KeyKind::kP256), options);
  EXPECT_EQ(RunHandshake().status(),
            Status(Code::kUnauthenticated, kPinMismatch));
}

TEST_F(TlsClientTest, OtherCertificatesAreIgnored) {
  TlsServerOptions options;
  options.more_certificates = {IdentityOf(KeyKind::kP384).certificate.get()};
  StartBoth(IdentityOf(KeyKind::kP256), options);
  EXPECT_EQ(*RunHandshake(), Step::kDone);
}

TEST_F(TlsClientTest, OtherKeysAndVersionsAreRefused) {
  struct Row {
    const char* what;
    KeyKind key;
    TlsServerOptions options;
  };
  TlsServerOptions tls12;
  tls12.min_version = tls12.max_version = TLS1_2_VERSION;
  TlsServerOptions aes128;
  aes128.cipher_suites = "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";
  TlsServerOptions p521;
  p521.groups = "P-521:X25519";
  const Row rows[] = {
      {"RSA", KeyKind::kRsa2048, {}},
      {"P-521", KeyKind::kP521, {}},
      {"Ed25519", KeyKind::kEd25519, {}},
      {"TLS 1.2", KeyKind::kP256, tls12},
      {"AES-128", KeyKind::kP256, aes128},
      {"other groups", KeyKind::kP256, p521},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    MemoryPipe pipe;
    const Pin pin = IdentityOf(row.key).Pin();
    client_.Wipe();
    ASSERT_TRUE(client_.Start(pipe.a, rng_, {&pin, 1}).ok());
    TlsServer server(pipe.b, IdentityOf(row.key), row.options);
    Result<Step> step = Step::kWaiting;
    for (int i = 0; i < 50 && step.ok(); ++i) {
      step = client_.Handshake();
      (void)server.Handshake();
    }
    EXPECT_EQ(step.status(), Status(Code::kUnavailable, kTlsAlert))
        << base::NameOf(step.status().reason()).text;
  }
}

TEST_F(TlsClientTest, GroupOfTheServersChoice) {
  TlsServerOptions options;
  options.groups = "P-384";  // Not our first: HelloRetryRequest.
  StartBoth(IdentityOf(KeyKind::kP256), options);
  EXPECT_EQ(*RunHandshake(), Step::kDone);
}

TEST_F(TlsClientTest, ClientCertificateRequestIsAnsweredWithNone) {
  TlsServerOptions options;
  options.request_client_certificate = true;
  StartBoth(IdentityOf(KeyKind::kP256), options);
  EXPECT_EQ(*RunHandshake(), Step::kDone);
  ExpectClientToServer(FromText("still here"));
}

TEST_F(TlsClientTest, TicketsAreSkipped) {
  TlsServerOptions options;
  options.tickets = 2;
  StartBoth(IdentityOf(KeyKind::kP256), options);
  ASSERT_EQ(*RunHandshake(), Step::kDone);
  ExpectClientToServer(FromText("a"));
  ExpectServerToClient(FromText("b"));
}

TEST_F(TlsClientTest, KeyUpdateEndsTheSession) {
  StartBoth(IdentityOf(KeyKind::kP256));
  ASSERT_EQ(*RunHandshake(), Step::kDone);
  ASSERT_EQ(*server_->Handshake(), Step::kDone);
  server_->SendKeyUpdate();
  uint8_t byte;
  EXPECT_EQ(client_.Read({&byte, 1}).status(),
            Status(Code::kDataLoss, kTlsUnexpectedMessage));
}

TEST_F(TlsClientTest, CloseNotifyIsAnEndAndACutIsNot) {
  StartBoth(IdentityOf(KeyKind::kP256));
  ASSERT_EQ(*RunHandshake(), Step::kDone);
  ASSERT_EQ(*server_->Handshake(), Step::kDone);
  uint8_t byte;
  EXPECT_EQ(*client_.Read({&byte, 1}), 0u);
  server_->Close();
  EXPECT_EQ(client_.Read({&byte, 1}).status(),
            Status(Code::kUnavailable, base::kStreamClosed));
}

TEST_F(TlsClientTest, CutAfterTheHandshake) {
  StartBoth(IdentityOf(KeyKind::kP256));
  ASSERT_EQ(*RunHandshake(), Step::kDone);
  pipe_.b.Close();
  uint8_t byte;
  EXPECT_EQ(client_.Read({&byte, 1}).status(),
            Status(Code::kUnavailable, kTlsTruncated));
}

TEST_F(TlsClientTest, SilenceIsWaiting) {
  const Pin pin = {};
  StartClient({&pin, 1});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(*client_.Handshake(), Step::kWaiting);
}

TEST_F(TlsClientTest, ClosedDuringTheHandshake) {
  StartBoth(IdentityOf(KeyKind::kP256));
  pipe_.b.Close();
  EXPECT_EQ(RunHandshake().status(), Status(Code::kUnavailable, kTlsTruncated));
}

TEST_F(TlsClientTest, LowerErrorsComeThrough) {
  StartBoth(IdentityOf(KeyKind::kP256));
  const Status broken(Code::kDeadlineExceeded, base::kDeadlinePassed);
  pipe_.a.Break(broken);
  EXPECT_EQ(RunHandshake().status(), broken);
}

TEST_F(TlsClientTest, GarbageIsNotTls) {
  for (int seed = 0; seed < 200; ++seed) {
    MemoryPipe pipe;
    const Pin pin = {};
    client_.Wipe();
    ASSERT_TRUE(client_.Start(pipe.a, rng_, {&pin, 1}).ok());
    std::vector<uint8_t> garbage(300);
    testing::FixedEntropy source(static_cast<uint64_t>(seed) + 1);
    ASSERT_TRUE(source.Fill(garbage).ok());
    if (seed % 2 != 0) {  // A plausible record around it.
      const uint8_t header[] = {22, 3, 3, 1, 0x27};
      std::copy(std::begin(header), std::end(header), garbage.begin());
    }
    ASSERT_EQ(*pipe.b.Write(garbage), garbage.size());
    pipe.b.Close();
    Result<Step> step = Step::kWaiting;
    for (int i = 0; i < 20 && step.ok(); ++i) step = client_.Handshake();
    ASSERT_FALSE(step.ok());
    EXPECT_NE(step.status().code(), Code::kInternal)
        << seed << " " << base::NameOf(step.status().reason()).text;
  }
}

// The bounds lose no byte, and application data gives new room.
TEST_F(TlsClientTest, MoreThanTheBoundsOfDataComesThrough) {
  StartBoth(IdentityOf(KeyKind::kP256));
  ASSERT_EQ(*RunHandshake(), Step::kDone);
  std::vector<uint8_t> large(3 * TlsClient::kMaxIdleBytes);
  for (size_t i = 0; i < large.size(); ++i) {
    large[i] = static_cast<uint8_t>(i * 7 + i / 256);
  }
  ExpectServerToClient(large);
}

// A server that ignores our versions and goes on with TLS 1.2.
TEST_F(TlsClientTest, Tls12ServerHelloIsRefused) {
  const Pin pin = {};
  StartClient({&pin, 1});
  std::vector<uint8_t> hello = base::testing::FromHex(
      "160303002c"                        // handshake record
      "02000028"                          // ServerHello
      "0303");                            // TLS 1.2, without supported_versions
  hello.resize(hello.size() + 32, 0x5A);  // random
  for (const uint8_t byte : {0x00, 0xC0, 0x2C, 0x00, 0x00, 0x00}) {
    hello.push_back(byte);
  }
  ASSERT_EQ(*pipe_.b.Write(hello), hello.size());
  const Result<Step> step = client_.Handshake();
  EXPECT_EQ(step.status(), Status(Code::kDataLoss, kTlsMalformed))
      << base::NameOf(step.status().reason()).text;
}

// A change of any byte that the server sends ends the handshake with a reason,
// or (in what TLS does not cover, such as the record version) changes nothing.
TEST_F(TlsClientTest, FlippedBitsInTheHandshake) {
  const Identity& identity = IdentityOf(KeyKind::kP256);
  const Pin pin = identity.Pin();
  size_t length = 1;
  size_t failed = 0;
  for (size_t at = 0; at < length; at += 3) {
    MemoryPipe pipe;
    pipe.b.set_change([at](size_t position, uint8_t byte) {
      return position == at ? static_cast<uint8_t>(byte ^ (1u << at % 8))
                            : byte;
    });
    client_.Wipe();
    ASSERT_TRUE(client_.Start(pipe.a, rng_, {&pin, 1}).ok());
    TlsServer server(pipe.b, identity);
    Result<Step> step = Step::kWaiting;
    for (int i = 0; i < 10 && step.ok() && *step == Step::kWaiting; ++i) {
      step = client_.Handshake();
      (void)server.Handshake();
    }
    length = std::max(length, pipe.b.written());
    if (!step.ok()) {
      ++failed;
      EXPECT_NE(step.status().reason(), kTlsInternal) << at;
    }
  }
  EXPECT_GT(length, 500u);
  EXPECT_GT(failed, length / 3 * 8 / 10);
}

TEST_F(TlsClientTest, FlippedBitInARecord) {
  StartBoth(IdentityOf(KeyKind::kP256));
  ASSERT_EQ(*RunHandshake(), Step::kDone);
  const size_t start = pipe_.b.written();
  pipe_.b.set_change([start](size_t position, uint8_t byte) {
    return position == start + 20 ? static_cast<uint8_t>(byte ^ 4) : byte;
  });
  ASSERT_TRUE(server_->Write(FromText("a secret that is changed")).ok());
  uint8_t bytes[64];
  EXPECT_EQ(client_.Read(bytes).status(),
            Status(Code::kUnauthenticated, kTlsNotAuthentic));
}

TEST_F(TlsClientTest, OneByteAtATimeBothWays) {
  pipe_.a.set_chunk(1);
  pipe_.b.set_chunk(1);
  pipe_.a.set_capacity(3);
  pipe_.b.set_capacity(3);
  StartBoth(IdentityOf(KeyKind::kP384));
  ASSERT_EQ(*RunHandshake(), Step::kDone);
  std::vector<uint8_t> bytes(9000, 0x5A);
  ExpectClientToServer(bytes);
  ExpectServerToClient(bytes);
  for (Step step = Step::kWaiting; step != Step::kDone;) {
    const Result<Step> closed = client_.Close();
    ASSERT_TRUE(closed.ok());
    step = *closed;
    server_->Pump();
  }
}

TEST_F(TlsClientTest, WrongCalls) {
  const Pin pin = IdentityOf(KeyKind::kP256).Pin();
  const Status wrong_state(Code::kFailedPrecondition, kTlsWrongState);
  uint8_t byte = 0;
  EXPECT_EQ(client_.Handshake().status(), wrong_state);
  EXPECT_EQ(client_.Read({&byte, 1}).status(), wrong_state);
  EXPECT_EQ(client_.Start(pipe_.a, rng_, {}),
            Status(Code::kInvalidArgument, kPinsInvalid));
  const std::array<Pin, 5> five = {};
  EXPECT_EQ(client_.Start(pipe_.a, rng_, five),
            Status(Code::kInvalidArgument, kPinsInvalid));
  Rng unseeded;
  EXPECT_EQ(client_.Start(pipe_.a, unseeded, {&pin, 1}),
            Status(Code::kFailedPrecondition, kRngNotReady));
  StartBoth(IdentityOf(KeyKind::kP256));
  EXPECT_EQ(client_.Start(pipe_.a, rng_, {&pin, 1}), wrong_state);
  EXPECT_EQ(client_.Write({&byte, 1}).status(), wrong_state);
  EXPECT_EQ(client_.Export("EXPORTER-test", {}, {&byte, 1}), wrong_state);
}

TEST_F(TlsClientTest, WipedCanStartAgain) {
  for (int i = 0; i < 2; ++i) {
    MemoryPipe pipe;
    const Pin pin = IdentityOf(KeyKind::kP256).Pin();
    ASSERT_TRUE(client_.Start(pipe.a, rng_, {&pin, 1}).ok());
    TlsServer server(pipe.b, IdentityOf(KeyKind::kP256));
    Result<Step> step = Step::kWaiting;
    for (int k = 0; k < 10 && *step == Step::kWaiting; ++k) {
      step = client_.Handshake();
      ASSERT_TRUE(step.ok());
      (void)server.Handshake();
    }
    EXPECT_EQ(*step, Step::kDone);
    client_.Wipe();
  }
}

}  // namespace
}  // namespace crypto
