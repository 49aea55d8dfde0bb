// SPDX-License-Identifier: Apache-2.0
//
// The native protocol over TLS 1.3: Mbed TLS in the guest, OpenSSL outside.
#include <functional>
#include <memory>
#include <vector>

#include "attest/boot_manifest.h"
#include "attest/native_session.h"
#include "attest/secret_set.h"
#include "attest/testing/fake_evidence.h"
#include "attest/testing/scripted_verifier.h"
#include "base/testing/hex.h"
#include "base/testing/memory_pipe.h"
#include "crypto/reasons.h"
#include "crypto/testing/fixed_entropy.h"
#include "crypto/testing/heap_watch.h"
#include "crypto/testing/tls_server.h"
#include "crypto/tls_client.h"
#include "gtest/gtest.h"

namespace attest {
namespace {

using base::Code;
using base::Result;
using base::Status;
using base::Step;
using base::testing::FromText;
using base::testing::MemoryPipe;
using crypto::testing::Identity;
using crypto::testing::KeyKind;
using crypto::testing::MakeIdentity;
using crypto::testing::TlsServer;
using crypto::testing::TlsServerOptions;
using testing::FakeEvidence;
using testing::ScriptedVerifier;

// The guest: what svsm/ does, without hardware.
class Guest {
 public:
  Guest() {
    manifest_.resize(proto::kMaxBootManifest);
    manifest_.resize(*Serialise(BootManifest(), manifest_));
    wanted_[0] = {name_, SecretKind::kLuks2, 64};
  }

  Status Connect(base::ByteStream& lower, const crypto::Pin& pin) {
    return tls_.Start(lower, rng_, {&pin, 1});
  }

  Result<Step> Advance() {
    if (!connected_) {
      BASE_TRY_ASSIGN(const Step step, tls_.Handshake());
      if (step == Step::kWaiting) return step;
      connected_ = true;
      BASE_TRY(session_->Start(tls_, evidence_, {vm_, wanted_, manifest_}));
    }
    BASE_TRY_ASSIGN(const Step step, session_->Advance());
    if (step == Step::kWaiting) return step;
    return tls_.Close();
  }

  bool connected() const { return connected_; }
  NativeSession& session() { return *session_; }
  crypto::TlsClient& tls() { return tls_; }

 private:
  const std::vector<uint8_t> vm_ = FromText("demo/vm1");
  const std::vector<uint8_t> name_ = FromText("demo/vm1/root");
  std::vector<uint8_t> manifest_;
  WantedSecret wanted_[1];
  crypto::testing::SeededRng rng_;
  crypto::TlsClient tls_;
  FakeEvidence evidence_;
  std::unique_ptr<NativeSession> session_ = std::make_unique<NativeSession>();
  bool connected_ = false;
};

// The owner's end: TLS by OpenSSL and a scripted verifier in it.
struct Owner {
  Owner(base::ByteStream& lower, const Identity& identity,
        const TlsServerOptions& options = {})
      : tls(lower, identity, options) {
    verifier.secrets = {{"demo/vm1/root", std::vector<uint8_t>(32, 0x11), true,
                         294912, std::vector<uint8_t>(32, 0x33)}};
  }
  void Turn() {
    const Result<Step> step = tls.Handshake();
    if (!step.ok() || *step == Step::kWaiting) return;
    (void)verifier.Advance();
    tls.Pump();
  }
  TlsServer tls;
  ScriptedVerifier verifier{tls};
};

// Turns everything until the guest is done, or has not moved for long.
Result<Step> RunWith(Guest& guest, const std::function<void()>& others,
                     int turns = 200) {
  Result<Step> step = Step::kWaiting;
  for (int i = 0; i < turns && step.ok() && *step == Step::kWaiting; ++i) {
    step = guest.Advance();
    others();
  }
  return step;
}

class NativeTlsTest : public ::testing::TestWithParam<KeyKind> {
 protected:
  const Identity identity_ = MakeIdentity(GetParam());
  MemoryPipe pipe_;
};
INSTANTIATE_TEST_SUITE_P(Curves, NativeTlsTest,
                         ::testing::Values(KeyKind::kP256, KeyKind::kP384));

TEST_P(NativeTlsTest, Honest) {
  crypto::testing::HeapWatch heap;
  {
    Guest guest;
    Owner owner(pipe_.b, identity_);
    ASSERT_TRUE(guest.Connect(pipe_.a, identity_.Pin()).ok());
    const Result<Step> step = RunWith(guest, [&] { owner.Turn(); });
    ASSERT_TRUE(step.ok()) << base::NameOf(step.status().reason()).text;
    ASSERT_EQ(*step, Step::kDone);
    EXPECT_TRUE(owner.verifier.report_data_matches);
    EXPECT_TRUE(owner.verifier.receipt.accepted);
    EXPECT_EQ(guest.session().outcome(), proto::Outcome::kGranted);
    EXPECT_TRUE(guest.session().secrets().at(0).value.EqualsConstantTime(
        std::vector<uint8_t>(32, 0x11)));
    guest.tls().Wipe();
    // Only the generator's key schedule is left.
    EXPECT_LT(heap.now(), 1024u);
    printf("heap: peak %zu bytes; sent %zu, received %zu bytes\n", heap.peak(),
           pipe_.a.written(), pipe_.b.written());
    EXPECT_LT(heap.peak(), 64u * 1024);
  }
  EXPECT_EQ(heap.now(), 0u);
}

TEST_P(NativeTlsTest, OneByteAtATimeWithTickets) {
  TlsServerOptions options;
  options.tickets = 2;
  pipe_.a.set_chunk(1);
  pipe_.b.set_chunk(1);
  pipe_.a.set_capacity(16);
  pipe_.b.set_capacity(16);
  Guest guest;
  Owner owner(pipe_.b, identity_, options);
  ASSERT_TRUE(guest.Connect(pipe_.a, identity_.Pin()).ok());
  EXPECT_EQ(*RunWith(guest, [&] { owner.Turn(); }, 100'000), Step::kDone);
  EXPECT_EQ(guest.session().outcome(), proto::Outcome::kGranted);
}

TEST_P(NativeTlsTest, AnotherKeyIsRefusedBeforeAnyRequest) {
  const Identity other = MakeIdentity(GetParam());
  Guest guest;
  Owner owner(pipe_.b, other);
  ASSERT_TRUE(guest.Connect(pipe_.a, identity_.Pin()).ok());
  EXPECT_EQ(RunWith(guest, [&] { owner.Turn(); }).status(),
            Status(Code::kUnauthenticated, crypto::kPinMismatch));
  EXPECT_FALSE(guest.connected());
  EXPECT_TRUE(owner.verifier.request.empty());
}

// Holds the verifier's own TLS key, ends both sessions and relays everything.
// The pin is satisfied; the report is still bound to the other session.
TEST_P(NativeTlsTest, ManInTheMiddleWithTheVerifiersKey) {
  MemoryPipe outside;
  TlsServerOptions connect;
  connect.connect = true;
  TlsServer to_guest(pipe_.b, identity_);
  TlsServer to_owner(outside.a, identity_, connect);
  Owner owner(outside.b, identity_);
  Guest guest;
  ASSERT_TRUE(guest.Connect(pipe_.a, identity_.Pin()).ok());
  const auto relay = [](TlsServer& from, TlsServer& to) {
    uint8_t bytes[8192];
    const Result<size_t> got = from.Read(bytes);
    if (got.ok() && *got > 0) {
      EXPECT_EQ(*to.Write({bytes, *got}), *got);
    }
  };
  const Result<Step> step = RunWith(guest, [&] {
    const bool ready = to_guest.Handshake().ok() && to_owner.Handshake().ok();
    owner.Turn();
    if (!ready) return;
    relay(to_guest, to_owner);
    relay(to_owner, to_guest);
  });
  ASSERT_TRUE(step.ok()) << base::NameOf(step.status().reason()).text;
  EXPECT_FALSE(owner.verifier.report.empty());  // It did get there.
  EXPECT_FALSE(owner.verifier.report_data_matches);
  EXPECT_EQ(guest.session().outcome(), proto::Outcome::kEvidenceInvalid);
  EXPECT_EQ(guest.session().secrets().size(), 0u);
}

TEST_P(NativeTlsTest, ReportOfOneSessionIsWorthNothingInAnother) {
  std::vector<uint8_t> report;
  for (int session = 0; session < 2; ++session) {
    MemoryPipe pipe;
    Guest guest;
    Owner owner(pipe.b, identity_);
    ASSERT_TRUE(guest.Connect(pipe.a, identity_.Pin()).ok());
    ASSERT_EQ(*RunWith(guest, [&] { owner.Turn(); }), Step::kDone);
    // Same guest, same nonce, same request: only the session differs.
    EXPECT_NE(owner.verifier.report, report);
    report = owner.verifier.report;
  }
}

TEST_P(NativeTlsTest, VerifierClosesInTheMiddle) {
  Guest guest;
  Owner owner(pipe_.b, identity_);
  owner.verifier.change_challenge = [&](ScriptedVerifier::Frame& frame) {
    frame.resize(10);
  };
  ASSERT_TRUE(guest.Connect(pipe_.a, identity_.Pin()).ok());
  const auto turn = [&] {
    owner.Turn();
    if (!owner.verifier.request.empty()) owner.tls.Close();
  };
  EXPECT_EQ(RunWith(guest, turn).status(),
            Status(Code::kUnavailable, base::kStreamClosed));
}

}  // namespace
}  // namespace attest
