// SPDX-License-Identifier: Apache-2.0
//
// Every layer but the hardware: the page channel and its host in one process,
// Mbed TLS against OpenSSL, the native session against a scripted verifier.
#include "svsm/attestation/attestation.h"

#include <stdint.h>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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
    manifest_.resize(proto::kMaxBootManifest);
    manifest_.resize(*attest::Serialise(attest::BootManifest(), manifest_));
    host_.echo = false;
    host_.on_frame = [this](const proxy::Frame& frame) { OnFrame(frame); };
    Renew();
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

  // Another boot, from now on.
  void Renew() {
    machine_.port().clear();
    machine_.EndAt(base::Instant{UINT64_MAX});
    start_ = machine_.Now();
    boot_end_ = machine_.In(kBootMs);
    machine_.EndAt(boot_end_);
    events_.clear();
    connection_ = nullptr;
    silent_ = false;
    host_.Restart(++generation_);
    transport_.emplace(machine_.range(), machine_, proxy::kProxyReadBack,
                       machine_);
    transport_->SpreadUntil(boot_end_);
    client_ = std::make_unique<proxy::Client>(*transport_, machine_);
    attestation_ = std::make_unique<Attestation>(*client_, evidence_, rng_,
                                                 machine_, observer_);
    observer_.log.clear();
    machine_.host_turn = [this] {
      for (auto& [when, event] : events_) {
        if (event && machine_.Now() >= when) std::exchange(event, nullptr)();
      }
      host_.Turn();
      Serve();
    };
  }
  // So many milliseconds after the boot began.
  void At(uint64_t ms, std::function<void()> event) {
    events_.emplace_back(start_ + base::Milliseconds{ms}, std::move(event));
  }
  void EndsInTime() {
    EXPECT_LE(machine_.Now(), boot_end_ + base::Milliseconds{5});
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
  crypto::testing::SeededRng rng_;
  std::vector<uint8_t> manifest_;
  const attest::WantedSecret wanted_[1] = {
      {AsBytes("demo/vm1/disk"), attest::SecretKind::kLuks2, 64}};

  static constexpr uint64_t kBootMs = 180'000;
  proxy::testing::LoopbackMachine machine_;
  base::Instant start_{};
  base::Instant boot_end_{};
  std::vector<std::pair<base::Instant, std::function<void()>>> events_;
  uint64_t generation_ = 7;
  proxy::testing::ScriptedHost host_{machine_};
  std::unique_ptr<Connection> connection_;
  int opened_ = 0;
  int unreachable_ = 0;
  bool silent_ = false;
  std::function<void(Connection&)> on_open_;
  bool restart_ = false;  // the proxy, once, when evidence has arrived

  std::optional<proxy::GuestPageTransport> transport_;
  std::unique_ptr<proxy::Client> client_;
  attest::testing::FakeEvidence evidence_;
  Observer observer_;
  std::unique_ptr<Attestation> attestation_;
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
  EXPECT_LE(transport_->port_writes() - transport_->registration_writes(), 16u);
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
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(attestation_->result().outcome, Outcome::kTryLater);
  EXPECT_GE(opened_, 30);
  EXPECT_LE(machine_.Now(), boot_end_);
}

// The attempt that the end cuts says nothing of the verifier; its verdict does.
TEST_F(AttestationTest, TryLaterWithAnEndInsideAnAttemptEndsAsTryLater) {
  on_open_ = [](Connection& c) { c.verifier.outcome = Outcome::kTryLater; };
  At(165'000, [this] { silent_ = true; });
  ASSERT_TRUE(Run().ok());
  EXPECT_GE(machine_.Now(), boot_end_);
  EXPECT_EQ(attestation_->result().outcome, Outcome::kTryLater);
  EXPECT_FALSE(base::AllZero(attestation_->result().decision_id));
  EXPECT_FALSE(attestation_->Permit().has_value());
  EndsInTime();
}

// One attempt with an end: there is none before, so its own counts.
TEST_F(AttestationTest, AnEndInsideTheFirstAttemptIsThatAttempts) {
  silent_ = true;
  machine_.EndAt(start_ + base::Milliseconds{10'000});
  EXPECT_EQ(Run(), Status(Code::kDeadlineExceeded, kVerifierSilent));
  EXPECT_EQ(opened_, 1);
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

TEST_F(AttestationTest, ASilentVerifierIsAskedAgainUntilTheBootsDeadline) {
  silent_ = true;
  EXPECT_EQ(Run(), Status(Code::kDeadlineExceeded, kVerifierSilent));
  EXPECT_EQ(opened_, 6);  // 30 s each
  EndsInTime();
}

TEST_F(AttestationTest, AVerifierThatIsSilentForMostOfTheBootCostsNoBoot) {
  silent_ = true;
  At(140'000, [this] {
    silent_ = false;
    connection_ = nullptr;  // of the verifier that is no more
  });
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(session().outcome(), Outcome::kGranted);
}

TEST_F(AttestationTest, AVerifierThatIsAwayForMostOfTheBootCostsNoBoot) {
  unreachable_ = 1'000'000;
  At(175'000, [this] { unreachable_ = 0; });
  ASSERT_TRUE(Run().ok());
  EXPECT_EQ(session().outcome(), Outcome::kGranted);
  EXPECT_LE(transport_->port_writes(), proxy::kPortBytesPerBoot);
}

TEST_F(AttestationTest, AProxyThatComesLateCostsNoBoot) {
  for (const uint64_t late : {0, 1'500, 9'000, 40'000, 100'000, 174'000}) {
    Renew();
    host_.stopped = true;
    machine_.daemon_connected = false;
    At(late, [this] {
      host_.stopped = false;
      machine_.daemon_connected = true;
    });
    const Status status = Run();
    ASSERT_TRUE(status.ok()) << late << base::NameOf(status.reason()).text;
    EXPECT_EQ(session().outcome(), Outcome::kGranted) << late;
    EXPECT_LE(machine_.Now(), boot_end_);
    // Back soon, found soon.
    if (late < 10'000) {
      EXPECT_FALSE(machine_.Passed(start_ + base::Milliseconds{20'000}));
    }
  }
}

TEST_F(AttestationTest, AProxyThatGoesAwayAndComesBackCostsNoBoot) {
  for (const uint64_t away : {1'000, 10'000, 60'000, 150'000}) {
    Renew();
    silent_ = true;  // so that it goes away in a session
    At(5'000, [this] {
      host_.stopped = true;
      machine_.daemon_connected = false;
    });
    At(5'000 + away, [this] {
      host_.Restart(8);
      host_.stopped = false;
      machine_.daemon_connected = true;
      connection_ = nullptr;
      silent_ = false;
    });
    const Status status = Run();
    ASSERT_TRUE(status.ok()) << away << base::NameOf(status.reason()).text;
    EXPECT_EQ(session().outcome(), Outcome::kGranted) << away;
  }
}

TEST_F(AttestationTest, AnAbsentProxyEndsAtTheBootsDeadline) {
  host_.stopped = true;
  EXPECT_EQ(Run(), Status(Code::kDeadlineExceeded, proxy::kProxyAbsent));
  EXPECT_NE(observer_.log.find("retry retry"), std::string::npos);
  EXPECT_EQ(observer_.log.find("channel"), std::string::npos);
  EndsInTime();
}

// Whatever the pace of the host is, and wherever it stops: the waits of all
// phases and attempts together end with the boot's time.
TEST_F(AttestationTest, NoHostIsSlowEnoughToOutliveTheBootsDeadline) {
  for (const uint64_t pace : {100u, 900u, 3'900u, 4'100u, 19'900u, 29'900u}) {
    for (const Outcome outcome : {Outcome::kTryLater, Outcome::kGranted}) {
      Renew();
      on_open_ = [outcome](Connection& c) { c.verifier.outcome = outcome; };
      base::Instant next = machine_.Now();
      machine_.host_turn = [&] {
        if (machine_.Now() < next) return;
        next = machine_.Now() + base::Milliseconds{pace};
        host_.Turn();
        Serve();
      };
      static_cast<void>(Run());
      EndsInTime();
      EXPECT_LE(machine_.most_queued, proxy::kPortBytesPerBoot) << pace;
    }
  }
}

// What is said at the end and never heard costs no more than once.
TEST_F(AttestationTest, NoReasonOfTheHostOutlivesTheBootsDeadline) {
  base::Instant next = machine_.Now();
  machine_.host_turn = [&] {
    if (machine_.Now() < next) return;
    next = machine_.Now() + base::Milliseconds{3'800};
    host_.Turn();
    if (host_.endpoint->attached()) {
      host_.endpoint->Detach(
          Status(Code::kUnavailable, proxy::kProxyShuttingDown));
    }
  };
  EXPECT_EQ(Run().reason(), proxy::kProxyShuttingDown);
  EndsInTime();
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
