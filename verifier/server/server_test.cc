// SPDX-License-Identifier: Apache-2.0
#include "verifier/server/server.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "attest/evidence_source.h"
#include "attest/native_session.h"
#include "attest/secret_set.h"
#include "base/byte_stream.h"
#include "crypto/rng.h"
#include "crypto/testing/fixed_entropy.h"
#include "crypto/tls_client.h"
#include "gtest/gtest.h"
#include "proto/attest.h"
#include "verifier/server/identity.h"
#include "verifier/store/store.h"
#include "verifier/testing/evidence_maker.h"
#include "verifier/testing/guest_messages.h"
#include "verifier/testing/scratch_store.h"
#include "verifier/testing/tls_test_client.h"

namespace verifier {
namespace {

using std::chrono::milliseconds;
using testing::kSecretPath;
using testing::kSecretText;
using testing::TlsTestClient;

const std::vector<uint8_t>& Request() {
  static const auto& request = *new std::vector<uint8_t>(
      testing::RequestFor("demo/vm1", {std::string(kSecretPath)}));
  return request;
}

class ServerTest : public ::testing::Test {
 protected:
  void StartServer(ServerOptions options = {}) {
    options.allow_emulated = true;
    ASSERT_TRUE(CreateIdentity(store_.folder()).ok());
    auto identity = LoadIdentity(store_.folder());
    ASSERT_TRUE(identity.ok()) << identity.status();
    identity_ = *std::move(identity);
    auto server = Server::Start(std::move(options), identity_, store_.Take());
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    port_ = server_->port();
    thread_ = std::thread([this] { server_->Run(); });
  }
  void StopServer() {
    server_->Stop();
    thread_.join();
  }
  void TearDown() override {
    if (server_) server_->Stop();
    if (thread_.joinable()) thread_.join();
  }

  // Up to the challenge.
  void Begin(TlsTestClient& client) {
    ASSERT_TRUE(client.Handshake());
    ASSERT_TRUE(client.Send(Request()));
    challenge_ = client.Receive();
    ASSERT_FALSE(challenge_.empty());
  }
  proto::Outcome OutcomeOf(const std::vector<uint8_t>& verdict) {
    proto::AttestArena arena;
    const auto decoded = proto::Decode<proto::AttestVerdict>(verdict, arena);
    EXPECT_TRUE(decoded.ok());
    return decoded.ok() ? decoded->outcome : proto::Outcome::kTryLater;
  }
  proto::Outcome Finish(TlsTestClient& client, TlsTestClient& tls_of_evidence) {
    const auto binding = tls_of_evidence.Binding(testing::NonceOf(challenge_));
    EXPECT_TRUE(
        client.Send(testing::GoodEvidence(binding, Request(), challenge_)));
    return OutcomeOf(client.Receive());
  }
  void ExpectServes() {
    TlsTestClient client(port_);
    Begin(client);
    EXPECT_EQ(Finish(client, client), proto::Outcome::kGranted);
  }

  testing::ScratchStore store_;
  Identity identity_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
  uint16_t port_ = 0;
  std::vector<uint8_t> challenge_;
};

TEST_F(ServerTest, GrantsThenClosesAfterTheReceipt) {
  StartServer();
  TlsTestClient client(port_);
  Begin(client);
  EXPECT_EQ(Finish(client, client), proto::Outcome::kGranted);
  EXPECT_TRUE(client.Send(
      testing::EncodeMessage(proto::AttestReceipt{.accepted = true})));
  // A second attestation on the same connection.
  client.Send(Request());
  EXPECT_TRUE(client.Receive().empty());
  EXPECT_TRUE(client.ServerCloses());
}

// The relay has the verifier's own TLS key, so the guest connects to it, and it
// passes every message on over a connection of its own.
TEST_F(ServerTest, ManInTheMiddleIsDenied) {
  StartServer();
  TlsTestClient guest_to_relay(port_);
  ASSERT_TRUE(guest_to_relay.Handshake());
  TlsTestClient relay_to_server(port_);
  Begin(relay_to_server);
  EXPECT_EQ(Finish(relay_to_server, guest_to_relay),
            proto::Outcome::kEvidenceInvalid);
}

TEST_F(ServerTest, PlaintextGarbageAndCloseHarmOnlyThemselves) {
  StartServer();
  {
    TlsTestClient http(port_);
    ASSERT_TRUE(http.SendRaw(ossl::AsBytes("GET / HTTP/1.1\r\n\r\n")));
    EXPECT_TRUE(http.ServerCloses());
  }
  {
    TlsTestClient zeros(port_);
    ASSERT_TRUE(zeros.SendRaw(std::vector<uint8_t>(5000, 0)));
    EXPECT_TRUE(zeros.ServerCloses());
  }
  {
    TlsTestClient closes(port_);
  }
  {
    TlsTestClient closes_in_the_middle(port_);
    Begin(closes_in_the_middle);
  }
  ExpectServes();
}

TEST_F(ServerTest, FramesThatBreakTheRules) {
  StartServer();
  for (const std::vector<uint8_t>& prefix :
       {std::vector<uint8_t>{1, 0, 1, 0}, std::vector<uint8_t>(4, 0xFF),
        std::vector<uint8_t>(4, 0)}) {
    TlsTestClient client(port_);
    ASSERT_TRUE(client.Handshake());
    ASSERT_TRUE(client.Write(prefix));
    EXPECT_EQ(OutcomeOf(client.Receive()), proto::Outcome::kProtocolError);
    EXPECT_TRUE(client.ServerCloses());
  }
  TlsTestClient wrong_order(port_);
  ASSERT_TRUE(wrong_order.Handshake());
  ASSERT_TRUE(wrong_order.Send(
      testing::EncodeMessage(proto::AttestReceipt{.accepted = true})));
  EXPECT_EQ(OutcomeOf(wrong_order.Receive()), proto::Outcome::kProtocolError);
  ExpectServes();
}

TEST_F(ServerTest, SilentClientsAreClosedAtTheDeadline) {
  StartServer({.session_deadline = milliseconds(500)});
  TlsTestClient never_speaks(port_);
  ASSERT_TRUE(never_speaks.connected());
  EXPECT_TRUE(never_speaks.ServerCloses());
  TlsTestClient only_handshake(port_);
  if (only_handshake.Handshake()) EXPECT_TRUE(only_handshake.Receive().empty());
}

TEST_F(ServerTest, NeverMoreSessionsThanAllowed) {
  StartServer({.max_sessions = 1});
  TlsTestClient first(port_);
  Begin(first);
  TlsTestClient second(port_);
  EXPECT_TRUE(second.ServerCloses());
  EXPECT_EQ(Finish(first, first), proto::Outcome::kGranted);
}

TEST_F(ServerTest, OneAddressCannotTakeAllSessions) {
  StartServer({.max_sessions_per_source = 1});
  TlsTestClient first(port_);
  Begin(first);
  TlsTestClient second(port_);
  EXPECT_TRUE(second.ServerCloses());
  EXPECT_EQ(Finish(first, first), proto::Outcome::kGranted);
}

TEST_F(ServerTest, TheRequestHasAShorterDeadline) {
  StartServer({.request_deadline = milliseconds(3000),
               .session_deadline = milliseconds(600000)});
  TlsTestClient asks(port_);
  Begin(asks);
  // Accepted later, closed when the other's first deadline is over too.
  TlsTestClient silent(port_);
  ASSERT_TRUE(silent.connected());
  EXPECT_TRUE(silent.ServerCloses());
  EXPECT_EQ(Finish(asks, asks), proto::Outcome::kGranted);
}

TEST_F(ServerTest, ALoopOfBadRequestsDoesNotFillTheDisk) {
  std::vector<std::string> lines;
  ServerOptions options{.unproven_per_source = 3};
  options.log = [&](std::string_view line) { lines.emplace_back(line); };
  StartServer(std::move(options));
  for (int i = 0; i < 10; ++i) {
    TlsTestClient client(port_);
    ASSERT_TRUE(client.Handshake());
    ASSERT_TRUE(client.Send(std::vector<uint8_t>(100, 0xFF)));
    const auto reply = client.Receive();
    proto::AttestArena arena;
    const auto verdict = proto::Decode<proto::AttestVerdict>(reply, arena);
    ASSERT_TRUE(verdict.ok());
    EXPECT_EQ(verdict->outcome, proto::Outcome::kProtocolError);
    EXPECT_FALSE(base::AllZero(verdict->decision_id));
    EXPECT_TRUE(client.ServerCloses());
  }
  ExpectServes();
  StopServer();
  const auto store = Store::Open(store_.folder());
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ((*store)->ListAudit(100)->size(), 4u);
  bool counted = false;
  for (const std::string& line : lines) {
    counted = counted || absl::StrContains(line, "7 refusals without genuine");
  }
  EXPECT_TRUE(counted);
  EXPECT_LT(lines.size(), 10u);
}

TEST_F(ServerTest, AnExceptionEndsItsSessionOnly) {
  std::vector<std::string> lines;
  bool thrown = false;
  ServerOptions options{.max_sessions = 1};
  options.log = [&](std::string_view line) {
    lines.emplace_back(line);
    if (thrown || !absl::StrContains(line, "granted")) return;
    thrown = true;
    throw std::runtime_error("the log is full");
  };
  StartServer(std::move(options));
  {
    TlsTestClient client(port_);
    Begin(client);
    const auto binding = client.Binding(testing::NonceOf(challenge_));
    client.Send(testing::GoodEvidence(binding, Request(), challenge_));
    EXPECT_TRUE(client.Receive().empty());
    EXPECT_TRUE(client.ServerCloses());
  }
  ExpectServes();
  StopServer();
  bool logged = false;
  for (const std::string& line : lines) {
    logged = logged || line == "session: the log is full";
  }
  EXPECT_TRUE(logged);
}

TEST_F(ServerTest, NoticesReplacedCertificatesWithoutRestart) {
  const std::filesystem::path folder = store_.folder() + "-certificates";
  std::filesystem::create_directory(folder);
  const auto import = [&](const std::vector<uint8_t>& crl) {
    std::ofstream(folder / "crl.der", std::ios::binary)
        << std::string(crl.begin(), crl.end());
  };
  import(testing::MakeCrl(1, testing::Revoked::kNothing));
  // Looks before each session.
  StartServer({.certificates = folder, .certificates_interval = {}});
  ExpectServes();
  import(testing::MakeCrl(2, testing::Revoked::kAsk));
  {
    TlsTestClient client(port_);
    Begin(client);
    EXPECT_EQ(Finish(client, client), proto::Outcome::kEvidenceInvalid);
  }
  import({1, 2, 3});
  {
    TlsTestClient client(port_);
    Begin(client);
    EXPECT_EQ(Finish(client, client), proto::Outcome::kEvidenceInvalid);
  }
  import(testing::MakeCrl(3, testing::Revoked::kNothing));
  ExpectServes();
}

TEST_F(ServerTest, DoesNotStartWithoutTheCertificatesItIsTold) {
  ASSERT_TRUE(CreateIdentity(store_.folder()).ok());
  const auto identity = LoadIdentity(store_.folder());
  ASSERT_TRUE(identity.ok()) << identity.status();
  const auto server = Server::Start({.certificates = store_.folder() + "/none"},
                                    *identity, store_.Take());
  ASSERT_FALSE(server.ok());
  EXPECT_TRUE(absl::StartsWith(server.status().message(), "VS19 "))
      << server.status();
}

TEST_F(ServerTest, OnlyTheTlsProfile) {
  StartServer();
  TlsTestClient old(port_);
  SSL_CTX_set_max_proto_version(old.context(), TLS1_2_VERSION);
  EXPECT_FALSE(old.Handshake());
  TlsTestClient other_suite(port_);
  SSL_CTX_set_ciphersuites(other_suite.context(), "TLS_AES_128_GCM_SHA256");
  EXPECT_FALSE(other_suite.Handshake());
  TlsTestClient good(port_);
  Begin(good);
  EXPECT_STREQ(SSL_get_cipher(good.ssl()), "TLS_AES_256_GCM_SHA384");
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(good.ssl())), 0);
  EXPECT_EQ(Finish(good, good), proto::Outcome::kGranted);
}

TEST_F(ServerTest, KeyUpdateEndsTheConnection) {
  StartServer();
  TlsTestClient client(port_);
  Begin(client);
  ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED), 1);
  const auto binding = client.Binding(testing::NonceOf(challenge_));
  client.Send(testing::GoodEvidence(binding, Request(), challenge_));
  EXPECT_TRUE(client.Receive().empty());
}

TEST_F(ServerTest, StopLetsAnOpenSessionEnd) {
  StartServer({.shutdown_grace = milliseconds(60000)});
  TlsTestClient client(port_);
  Begin(client);
  server_->Stop();
  EXPECT_EQ(Finish(client, client), proto::Outcome::kGranted);
  client.Send(testing::EncodeMessage(proto::AttestReceipt{.accepted = true}));
  EXPECT_TRUE(client.Receive().empty());
  thread_.join();
}

TEST_F(ServerTest, StopClosesWhoDoesNotEnd) {
  StartServer({.shutdown_grace = milliseconds(200)});
  TlsTestClient client(port_);
  Begin(client);
  server_->Stop();
  EXPECT_TRUE(client.Receive().empty());
  thread_.join();
}

// --- The guest's own code: attest/ over Mbed TLS.

class SocketStream final : public base::ByteStream {
 public:
  explicit SocketStream(int fd) : fd_(fd) {}
  base::Result<size_t> Read(base::MutableBytes out) override {
    return Moved(recv(fd_, out.data(), out.size(), 0));
  }
  base::Result<size_t> Write(base::Bytes bytes) override {
    return Moved(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }

 private:
  static base::Result<size_t> Moved(ssize_t count) {
    if (count > 0) return static_cast<size_t>(count);
    return base::Status(base::Code::kUnavailable, base::kStreamClosed);
  }
  int fd_;
};

class EmulatedEvidence final : public attest::EvidenceSource {
 public:
  base::Status GetReport(
      std::span<const uint8_t, 64> report_data,
      std::span<uint8_t, proto::kAttestReportSize> out) override {
    const auto report = testing::MakeReport(report_data);
    std::copy(report.begin(), report.end(), out.begin());
    return {};
  }
  base::Result<size_t> GetCertificates(base::Bytes,
                                       base::MutableBytes out) override {
    const auto table = testing::PackTable(testing::GoodCertificates());
    std::copy(table.begin(), table.end(), out.begin());
    return table.size();
  }
};

TEST_F(ServerTest, TheGuestsOwnCodeGetsItsSecret) {
  StartServer();
  crypto::Pin pin;
  ASSERT_TRUE(
      ossl::FromHex(absl::StripPrefix(PinOf(identity_), "sha256:"), pin));
  TlsTestClient socket(port_);
  SocketStream stream(socket.socket_fd());
  crypto::testing::FixedEntropy entropy;
  crypto::Rng rng;
  ASSERT_TRUE(rng.Seed(entropy, {}).ok());
  crypto::TlsClient tls;
  ASSERT_TRUE(tls.Start(stream, rng, {&pin, 1}).ok());
  const auto run = [](auto step) {
    auto result = step();
    while (result.ok() && *result == base::Step::kWaiting) result = step();
    return result;
  };
  ASSERT_TRUE(run([&] { return tls.Handshake(); }).ok());
  const auto manifest = testing::GoodManifest();
  const attest::WantedSecret wanted[] = {
      {ossl::AsBytes(kSecretPath), attest::SecretKind::kLuks2, 64}};
  EmulatedEvidence evidence;
  const auto session = std::make_unique<attest::NativeSession>();
  ASSERT_TRUE(
      session
          ->Start(tls, evidence, {ossl::AsBytes("demo/vm1"), wanted, manifest})
          .ok());
  const auto done = run([&] { return session->Advance(); });
  ASSERT_TRUE(done.ok()) << base::NameOf(done.status().reason()).text;
  EXPECT_EQ(session->outcome(), proto::Outcome::kGranted);
  ASSERT_EQ(session->secrets().size(), 1u);
  EXPECT_TRUE(base::Equal(session->secrets().at(0).value.RevealSecret(),
                          ossl::AsBytes(kSecretText)));
  EXPECT_EQ(session->boot_counter(), 1u);
}

}  // namespace
}  // namespace verifier
