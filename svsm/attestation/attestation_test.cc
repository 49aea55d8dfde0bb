// SPDX-License-Identifier: Apache-2.0
//
// Every layer but the hardware: the page channel and its host in one process,
// Mbed TLS against OpenSSL, the native session against a scripted verifier.
#include "svsm/attestation/attestation.h"

#include <stdint.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "attest/boot_manifest.h"
#include "attest/native_session.h"
#include "attest/secret_set.h"
#include "attest/testing/fake_evidence.h"
#include "attest/testing/scripted_verifier.h"
#include "base/bytes.h"
#include "base/reasons.h"
#include "base/result.h"
#include "base/testing/memory_pipe.h"
#include "base/time.h"
#include "crypto/reasons.h"
#include "crypto/rng.h"
#include "crypto/testing/fixed_entropy.h"
#include "crypto/testing/tls_server.h"
#include "crypto/tls_client.h"
#include "gtest/gtest.h"
#include "proto/attest.h"
#include "proto/channel.h"
#include "proxy/client.h"
#include "proxy/frame.h"
#include "proxy/guest_transport.h"
#include "proxy/page_layout.h"
#include "proxy/reasons.h"
#include "proxy/testing/loopback_machine.h"
#include "proxy/testing/scripted_host.h"
#include "svsm/attestation/retry.h"
#include "svsm/reasons.h"

namespace svsm {
namespace {

namespace channel = proto::channel;
using base::AsBytes;
using base::Code;
using base::Status;
using crypto::testing::Identity;
using crypto::testing::TlsServer;
using proto::Outcome;
using proxy::FrameType;

// The verifier's end of one stream.
struct Connection {
  Connection(uint32_t id, const Identity& identity)
      : stream(id), tls(pipe.b, identity), verifier(tls) {
    verifier.secrets = {{.name = "demo/vm1/disk",
                         .value = std::vector<uint8_t>(32, 0x5A),
                         .is_luks2 = true,
                         .header_length = 294912,
                         .header_sha256 = std::vector<uint8_t>(32, 7)}};
  }
  uint32_t stream;
  base::testing::MemoryPipe pipe;  // a: the proxy's end
  TlsServer tls;
  attest::testing::ScriptedVerifier verifier;
};

class Observer final : public AttestationObserver {
 public:
  void OnChannel() override { log += "channel "; }
  void OnConnected() override { log += "connected "; }
  void OnAttested() override { log += "attested "; }
  void OnRetry(const AttemptResult& why) override {
    log += "retry ";
    last = why;
  }
  std::string log;
  AttemptResult last;
};

class AttestationTest : public testing::Test {
 protected:
  AttestationTest() {
    EXPECT_TRUE(rng_.Seed(entropy_, {}).ok());
    manifest_.resize(proto::kMaxBootManifest);
    manifest_.resize(*attest::Serialise(attest::BootManifest(), manifest_));
    host_.echo = false;
    host_.on_frame = [this](const proxy::Frame& frame) { OnFrame(frame); };
    machine_.host_turn = [this] {
      host_.Turn();
      Serve();
    };
  }

  void OnFrame(const proxy::Frame& frame) {
    static channel::Arena arena;
    arena.Reset();
    if (frame.type == FrameType::kOpen) {
      const auto open = channel::Decode<channel::Open>(frame.body, arena);
      ASSERT_TRUE(open.ok());
      ++opened_;
      if (unreachable_ > 0) {
        --unreachable_;
        host_.Send(FrameType::kRefused,
                   channel::Refused{open->stream,
                                    channel::RefusedReason::kUnreachable});
        return;
      }
      connection_ = std::make_unique<Connection>(open->stream, identity_);
      if (on_open_) on_open_(*connection_);
      host_.Send(FrameType::kOpened, channel::Opened{open->stream});
    } else if (frame.type == FrameType::kData && connection_ != nullptr) {
      const auto data = channel::Decode<channel::Data>(frame.body, arena);
      ASSERT_TRUE(data.ok());
      const auto size = static_cast<uint32_t>(data->payload.size());
      ASSERT_EQ(*connection_->pipe.a.Write(data->payload), size);
      host_.Send(FrameType::kCredit, channel::Credit{data->stream, size});
    } else if (frame.type == FrameType::kClose) {
      connection_ = nullptr;
    }
  }

  // One turn of verifier and proxy.
  void Serve() {
    if (connection_ == nullptr || silent_) return;
    const auto step = connection_->tls.Handshake();
    if (step.ok() && *step == base::Step::kDone) {
      static_cast<void>(connection_->verifier.Advance());
      connection_->tls.Pump();
    }
    if (restart_ && !connection_->verifier.report.empty()) {
      restart_ = false;
      connection_ = nullptr;
      host_.Restart(8);
      return;
    }
    if (!host_.endpoint->attached() || !host_.endpoint->channel().idle()) {
      return;
    }
    std::array<uint8_t, 8192> bytes;
    const auto size = connection_->pipe.a.Read(bytes);
    if (size.ok() && *size > 0) {
      host_.Send(
          FrameType::kData,
          channel::Data{connection_->stream, base::Bytes(bytes).first(*size)});
    }
  }

  Status Run() {
    return attestation_->Run({.vm = AsBytes("demo/vm1"),
                              .endpoint = AsBytes("verifier"),
                              .pins = {&pin_, 1},
                              .secrets = wanted_,
                              .boot_manifest = manifest_,
                              .proxy_timeout = base::Milliseconds{20'000},
                              .verifier_timeout = base::Milliseconds{30'000}});
  }
  const attest::NativeSession& session() { return attestation_->session(); }

  const Identity identity_ =
      crypto::testing::MakeIdentity(crypto::testing::KeyKind::kP256);
  crypto::Pin pin_ = identity_.Pin();
  crypto::testing::FixedEntropy entropy_;
  crypto::Rng rng_;
  std::vector<uint8_t> manifest_;
  const attest::WantedSecret wanted_[1] = {
      {AsBytes("demo/vm1/disk"), attest::SecretKind::kLuks2, 64}};

  proxy::testing::LoopbackMachine machine_;
  proxy::testing::ScriptedHost host_{machine_};
  std::unique_ptr<Connection> connection_;
  int opened_ = 0;
  int unreachable_ = 0;
  bool silent_ = false;
  std::function<void(Connection&)> on_open_;
  bool restart_ = false;  // the proxy, once, when evidence has arrived

  proxy::GuestPageTransport transport_{machine_.range(), machine_,
                                       proxy::kProxyReadBack, machine_};
  std::unique_ptr<proxy::Client> client_ =
      std::make_unique<proxy::Client>(transport_, machine_);
  attest::testing::FakeEvidence evidence_;
  Observer observer_;
  std::unique_ptr<Attestation> attestation_ = std::make_unique<Attestation>(
      *client_, evidence_, rng_, machine_, observer_);
};

TEST_F(AttestationTest, GrantsOnTheFirstAttempt) {
  EXPECT_FALSE(attestation_->Permit().has_value());
  ASSERT_TRUE(Run().ok());
  EXPECT_TRUE(attestation_->Permit().has_value());
  EXPECT_EQ(session().outcome(), Outcome::kGranted);
  ASSERT_EQ(session().secrets().size(), 1u);
  EXPECT_EQ(session().secrets().at(0).value.RevealSecret()[0], 0x5A);
  EXPECT_EQ(observer_.log, "channel connected attested ");
  // Registration aside, few exits: Open, two or three flights of TLS, Request,
  // Evidence, Receipt, close_notify, Close.
  EXPECT_LE(transport_.port_writes() - transport_.registration_writes(), 16u);
}

TEST_F(AttestationTest, WipeLeavesNoSecret) {
  ASSERT_TRUE(Run().ok());
  attestation_->Wipe();
  EXPECT_EQ(session().secrets().size(), 0u);
  EXPECT_FALSE(attestation_->Permit().has_value());
}

TEST_F(AttestationTest, ARefusalIsFinal) {
  on_open_ = [](Connection& c) {
    c.verifier.outcome = Outcome::kNotAuthorised;
  };
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(session().outcome(), Outcome::kNotAuthorised);
  EXPECT_FALSE(attestation_->Permit().has_value());
  EXPECT_EQ(session().secrets().size(), 0u);
  EXPECT_EQ(opened_, 1);
}

TEST_F(AttestationTest, AnEndpointThatComesLateIsReached) {
  unreachable_ = 3;
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(session().outcome(), Outcome::kGranted);
  EXPECT_EQ(observer_.log, "channel retry retry retry connected attested ");
  EXPECT_EQ(observer_.last.status.reason(), proxy::kEndpointUnreachable);
}

TEST_F(AttestationTest, TryLaterIsTriedAgainWithAnotherReport) {
  on_open_ = [this](Connection& c) {
    if (opened_ < 3) c.verifier.outcome = Outcome::kTryLater;
  };
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(session().outcome(), Outcome::kGranted);
  EXPECT_EQ(evidence_.reports, 3);
}

TEST_F(AttestationTest, TryLaterForeverEndsAsTryLater) {
  on_open_ = [](Connection& c) { c.verifier.outcome = Outcome::kTryLater; };
  const base::Instant latest = machine_.In(31'000);
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(session().outcome(), Outcome::kTryLater);
  EXPECT_LE(opened_, static_cast<int>(RetryPolicy::kMaxAttempts));
  EXPECT_GT(opened_, 3);
  EXPECT_FALSE(machine_.Passed(latest));
}

TEST_F(AttestationTest, ARestartedProxyIsFoundAgain) {
  restart_ = true;
  const Status ended = Run();
  ASSERT_TRUE(ended.ok()) << base::NameOf(ended.reason()).text << " "
                          << observer_.log;
  EXPECT_EQ(session().outcome(), Outcome::kGranted);
  EXPECT_EQ(evidence_.reports, 2);
  EXPECT_NE(observer_.log.find("retry channel connected attested"),
            std::string::npos)
      << observer_.log;
}

TEST_F(AttestationTest, ASilentVerifierEndsAtTheDeadline) {
  silent_ = true;
  const base::Instant latest = machine_.In(32'000);
  EXPECT_EQ(Run(), Status(Code::kDeadlineExceeded, kVerifierSilent));
  EXPECT_FALSE(machine_.Passed(latest));
  EXPECT_EQ(opened_, 1);
}

TEST_F(AttestationTest, AnAbsentProxyEndsAtItsDeadline) {
  host_.stopped = true;
  EXPECT_EQ(Run(), Status(Code::kDeadlineExceeded, proxy::kProxyAbsent));
  EXPECT_EQ(observer_.log, "");
}

TEST_F(AttestationTest, AnotherServersKeyIsFinal) {
  pin_[0] ^= 1;
  EXPECT_EQ(Run(), Status(Code::kUnauthenticated, crypto::kPinMismatch));
  EXPECT_EQ(opened_, 1);
  EXPECT_EQ(observer_.log, "channel ");
}

TEST_F(AttestationTest, NothingIsTriedAfterTheProcessorFailed) {
  evidence_.failure = Status(Code::kUnavailable, kProcessorAbsent);
  EXPECT_EQ(Run(), evidence_.failure);
  EXPECT_EQ(evidence_.reports, 1);
  EXPECT_EQ(opened_, 1);
}

TEST_F(AttestationTest, ASecretNobodyAskedForIsRefused) {
  on_open_ = [](Connection& c) { c.verifier.secrets[0].name = "other"; };
  EXPECT_EQ(Run().code(), Code::kDataLoss);
  EXPECT_FALSE(attestation_->Permit().has_value());
  EXPECT_EQ(session().secrets().size(), 0u);
  EXPECT_EQ(opened_, 1);
}

}  // namespace
}  // namespace svsm
