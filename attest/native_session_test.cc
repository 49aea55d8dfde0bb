// SPDX-License-Identifier: Apache-2.0
//
// NativeSession against a scripted verifier, over a channel without TLS.
// attest/native_tls_test.cc has the same over TLS.
#include "attest/native_session.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "attest/boot_manifest.h"
#include "attest/reasons.h"
#include "attest/report_data.h"
#include "attest/testing/fake_channel.h"
#include "attest/testing/fake_evidence.h"
#include "attest/testing/scripted_verifier.h"
#include "base/testing/hex.h"
#include "base/testing/memory_pipe.h"
#include "gtest/gtest.h"
#include "proto/reasons.h"
#include "sev/reasons.h"
#include "sev/report.h"

namespace attest {
namespace {

using base::Code;
using base::Result;
using base::Status;
using base::Step;
using base::testing::FromText;
using base::testing::MemoryPipe;
using testing::FakeChannel;
using testing::FakeEvidence;
using testing::Framed;
using testing::ScriptedVerifier;
using Frame = ScriptedVerifier::Frame;

// Everything that one session needs, and a way to run it.
struct World {
  World() {
    BootManifest boot;
    manifest.resize(proto::kMaxBootManifest);
    manifest.resize(*Serialise(boot, manifest));
    wanted = {{disk_name, SecretKind::kLuks2, 64},
              {file_name, SecretKind::kFile, 100}};
    verifier.secrets = {{"demo/vm1/root", std::vector<uint8_t>(32, 0x11), true,
                         294912, std::vector<uint8_t>(32, 0x33)},
                        {"demo/vm1/token", FromText("token")}};
  }

  Status Start() {
    return session->Start(guest, evidence, {vm, wanted, manifest});
  }

  // Turns both ends until the session ends or nothing moves any more.
  Result<Step> Run() {
    for (;;) {
      const size_t before = Moved();
      const Result<Step> step = session->Advance();
      verifier_step = verifier.Advance();
      if (!step.ok() || *step == Step::kDone) {
        if (step.ok()) verifier_step = verifier.Advance();
        return step;
      }
      if (Moved() == before) return Step::kWaiting;
    }
  }

  size_t Moved() const {
    return 2 * (pipe.a.written() + pipe.b.written()) -
           (pipe.a.waiting() + pipe.b.waiting());
  }

  const std::vector<uint8_t> vm = FromText("demo/vm1");
  const std::vector<uint8_t> disk_name = FromText("demo/vm1/root");
  const std::vector<uint8_t> file_name = FromText("demo/vm1/token");
  std::vector<WantedSecret> wanted;
  std::vector<uint8_t> manifest;
  MemoryPipe pipe;
  FakeChannel guest{pipe.a};
  FakeChannel owner{pipe.b};
  FakeEvidence evidence;
  ScriptedVerifier verifier{owner};
  std::unique_ptr<NativeSession> session = std::make_unique<NativeSession>();
  Result<Step> verifier_step = Step::kWaiting;
};

TEST(NativeSessionTest, Honest) {
  World s;
  ASSERT_TRUE(s.Start().ok());
  const Result<Step> step = s.Run();
  ASSERT_TRUE(step.ok()) << base::NameOf(step.status().reason()).text;
  ASSERT_EQ(*step, Step::kDone);
  EXPECT_EQ(s.session->phase(), NativeSession::Phase::kDone);
  EXPECT_EQ(s.session->outcome(), proto::Outcome::kGranted);
  EXPECT_EQ(s.session->decision_id()[0], 0xDE);
  EXPECT_EQ(s.session->boot_counter(), 7u);
  ASSERT_EQ(s.session->secrets().size(), 2u);
  EXPECT_EQ(s.session->secrets().at(0).header_length, 294912u);
  EXPECT_TRUE(
      s.session->secrets().at(1).value.EqualsConstantTime(FromText("token")));

  EXPECT_TRUE(s.verifier.report_data_matches);
  EXPECT_EQ(s.verifier.certificates, s.evidence.certificates);
  EXPECT_EQ(s.verifier.boot_manifest, s.manifest);
  ASSERT_TRUE(s.verifier.has_receipt);
  EXPECT_TRUE(s.verifier.receipt.accepted);
  EXPECT_EQ(s.verifier.receipt.reason, 0u);

  s.session->Wipe();
  EXPECT_EQ(s.session->secrets().size(), 0u);
  EXPECT_EQ(s.session->phase(), NativeSession::Phase::kIdle);
}

TEST(NativeSessionTest, OneByteAtATime) {
  World s;
  s.pipe.a.set_chunk(1);
  s.pipe.b.set_chunk(1);
  s.pipe.a.set_capacity(5);
  s.pipe.b.set_capacity(5);
  ASSERT_TRUE(s.Start().ok());
  EXPECT_EQ(*s.Run(), Step::kDone);
  EXPECT_EQ(s.session->outcome(), proto::Outcome::kGranted);
  EXPECT_TRUE(s.verifier.has_receipt || *s.verifier.Advance() == Step::kDone);
}

TEST(NativeSessionTest, CertificatesOnlyWhenWanted) {
  World s;
  s.verifier.certificates_wanted = false;
  ASSERT_TRUE(s.Start().ok());
  EXPECT_EQ(*s.Run(), Step::kDone);
  EXPECT_EQ(s.evidence.certificate_calls, 0);
  EXPECT_TRUE(s.verifier.certificates.empty());
}

TEST(NativeSessionTest, EveryOutcome) {
  for (const proto::Outcome outcome :
       {proto::Outcome::kEvidenceInvalid, proto::Outcome::kNotAuthorised,
        proto::Outcome::kTryLater, proto::Outcome::kProtocolError}) {
    World s;
    s.verifier.outcome = outcome;
    ASSERT_TRUE(s.Start().ok());
    EXPECT_EQ(*s.Run(), Step::kDone);
    EXPECT_EQ(s.session->outcome(), outcome);
    EXPECT_EQ(s.session->decision_id()[1], 0xC1);
    EXPECT_EQ(s.session->secrets().size(), 0u);
    ASSERT_TRUE(s.verifier.has_receipt);
    EXPECT_FALSE(s.verifier.receipt.accepted);
    EXPECT_EQ(s.verifier.receipt.reason, kRefusedByVerifier.bits);
  }
}

TEST(NativeSessionTest, WhatMayNotBeAskedFor) {
  const Status invalid(Code::kInvalidArgument, kSessionRequestInvalid);
  {
    World s;
    s.wanted.push_back(s.wanted[0]);  // twice
    EXPECT_EQ(s.Start(), invalid);
  }
  {
    World s;
    s.wanted[0].max_size = proto::kMaxSecretSize + 1;
    EXPECT_EQ(s.Start(), invalid);
  }
  {
    World s;
    const std::vector<uint8_t> bad = FromText("Capital");
    s.wanted[0].name = bad;
    EXPECT_EQ(s.Start(), invalid);
  }
  {
    World s;
    s.manifest.clear();
    EXPECT_EQ(s.Start(), invalid);
    EXPECT_EQ(s.session->Advance().status().reason(), kSessionWrongState);
  }
}

TEST(NativeSessionTest, SilenceIsWaitingInEveryPhase) {
  {
    World s;
    s.pipe.a.set_capacity(0);
    ASSERT_TRUE(s.Start().ok());
    EXPECT_EQ(*s.Run(), Step::kWaiting);
    EXPECT_EQ(s.session->phase(), NativeSession::Phase::kSendingRequest);
  }
  {
    World s;
    s.verifier.change_challenge = [](Frame& frame) { frame.clear(); };
    ASSERT_TRUE(s.Start().ok());
    EXPECT_EQ(*s.Run(), Step::kWaiting);
    EXPECT_EQ(s.session->phase(), NativeSession::Phase::kAwaitingChallenge);
  }
  {
    World s;
    s.verifier.change_verdict = [](Frame& frame) { frame.clear(); };
    ASSERT_TRUE(s.Start().ok());
    EXPECT_EQ(*s.Run(), Step::kWaiting);
    EXPECT_EQ(s.session->phase(), NativeSession::Phase::kAwaitingVerdict);
  }
}

// --- What a broken or hostile peer says.

Status ErrorWithChallenge(ScriptedVerifier::Change change) {
  World s;
  s.verifier.change_challenge = std::move(change);
  EXPECT_TRUE(s.Start().ok());
  const Result<Step> step = s.Run();
  EXPECT_EQ(s.evidence.reports, 0);  // The secure processor was not asked.
  return step.status();
}

TEST(NativeSessionTest, BadChallenges) {
  EXPECT_EQ(ErrorWithChallenge([](Frame& f) { f = Framed({}); }),
            Status(Code::kDataLoss, kMessageLength));
  EXPECT_EQ(ErrorWithChallenge([](Frame& f) {
              f = Framed(std::vector<uint8_t>(proto::kMaxAttestChallenge + 1));
            }),
            Status(Code::kDataLoss, kMessageLength));
  EXPECT_EQ(ErrorWithChallenge([](Frame& f) { f = {0xFF, 0xFF, 0xFF, 0xFF}; }),
            Status(Code::kDataLoss, kMessageLength));
  EXPECT_EQ(
      ErrorWithChallenge([](Frame& f) { f = Framed({f.data() + 4, 33}); }),
      Status(Code::kDataLoss, proto::kAttestMalformed));
  EXPECT_EQ(ErrorWithChallenge([](Frame& f) {
              f = Framed(FromText("HTTP/1.1 400 Bad Request\r\n"));
            }),
            Status(Code::kDataLoss, proto::kAttestMalformed));
  EXPECT_EQ(ErrorWithChallenge([](Frame& f) {
              std::fill(f.begin() + 6, f.begin() + 38, uint8_t{0});
            }),
            Status(Code::kDataLoss, kNonceInvalid));
}

struct VerdictRun {
  Status status;
  bool has_receipt;
  proto::AttestReceipt receipt;
};
VerdictRun RunWithVerdict(ScriptedVerifier::Change change) {
  World s;
  s.verifier.change_verdict = std::move(change);
  EXPECT_TRUE(s.Start().ok());
  const Result<Step> step = s.Run();
  (void)s.verifier.Advance();
  EXPECT_FALSE(step.ok());
  EXPECT_EQ(s.session->secrets().size(), 0u);
  EXPECT_EQ(s.session->phase(), NativeSession::Phase::kFailed);
  EXPECT_EQ(s.session->Advance().status(), step.status());
  return {step.status(), s.verifier.has_receipt, s.verifier.receipt};
}

TEST(NativeSessionTest, BadVerdicts) {
  EXPECT_EQ(RunWithVerdict([](Frame& f) { f = Framed({}); }).status,
            Status(Code::kDataLoss, kMessageLength));
  EXPECT_EQ(RunWithVerdict([](Frame& f) {
              f = Framed(std::vector<uint8_t>(proto::kMaxAttestMessage + 1));
            }).status,
            Status(Code::kDataLoss, kMessageLength));
  EXPECT_EQ(
      RunWithVerdict([](Frame& f) { f = Framed({f.data() + 4, 100}); }).status,
      Status(Code::kDataLoss, proto::kVerdictNotPadded));
  EXPECT_EQ(RunWithVerdict([](Frame& f) { f.back() = 1; }).status,
            Status(Code::kDataLoss, proto::kVerdictNotPadded));
  EXPECT_EQ(RunWithVerdict([](Frame& f) {
              f = Framed(std::vector<uint8_t>(4096, 0xFF));
            }).status,
            Status(Code::kDataLoss, proto::kAttestMalformed));
  // A challenge again, in the verdict's place.
  EXPECT_EQ(RunWithVerdict([](Frame& f) {
              std::vector<uint8_t> body(4096);
              body[0] = 0x0A;
              body[1] = 32;
              f = Framed(body);
            }).status,
            Status(Code::kDataLoss, proto::kAttestMalformed));
}

TEST(NativeSessionTest, WrongSecretsAreRefusedAndReported) {
  const auto run = [](auto change) {
    World s;
    change(s.verifier.secrets);
    EXPECT_TRUE(s.Start().ok());
    const Result<Step> step = s.Run();
    (void)s.verifier.Advance();
    EXPECT_EQ(s.session->secrets().size(), 0u);
    EXPECT_EQ(s.session->outcome(), proto::Outcome::kProtocolError);
    EXPECT_EQ(s.session->decision_id()[0], 0xDE);  // still named
    EXPECT_TRUE(s.verifier.has_receipt);
    EXPECT_FALSE(s.verifier.receipt.accepted);
    EXPECT_EQ(s.verifier.receipt.reason, step.status().reason().bits);
    return step.status().reason();
  };
  using Secrets = std::vector<testing::ScriptedSecret>;
  EXPECT_EQ(run([](Secrets& v) { v.pop_back(); }), kSecretMissing);
  EXPECT_EQ(run([](Secrets& v) { v.push_back(v[0]); }), kSecretTwice);
  EXPECT_EQ(run([](Secrets& v) { v[1].name = "demo/vm2/root"; }),
            kSecretNotAskedFor);
  EXPECT_EQ(run([](Secrets& v) { v[1].value.assign(101, 1); }),
            kSecretOverLimit);
  EXPECT_EQ(run([](Secrets& v) { v[1].is_luks2 = true; }), kSecretWrongKind);
}

TEST(NativeSessionTest, ClosedInEveryPhase) {
  // The byte of its own after which the verifier's end closes.
  for (size_t after : {0, 1, 4, 20, 40, 41, 100, 4000}) {
    World s;
    s.pipe.b.set_capacity(1);
    s.pipe.b.set_chunk(1);
    ASSERT_TRUE(s.Start().ok());
    Result<Step> step = Step::kWaiting;
    while (step.ok() && *step == Step::kWaiting) {
      step = s.session->Advance();
      if (s.pipe.b.written() >= after) s.pipe.b.Close();
      (void)s.verifier.Advance();
    }
    EXPECT_EQ(step.status(), Status(Code::kUnavailable, base::kStreamClosed))
        << after;
  }
}

TEST(NativeSessionTest, TheReceiptDecidesNothing) {
  World s;
  s.verifier.change_verdict = [&s](Frame&) {
    // The verifier is gone as soon as its verdict is out.
    s.pipe.a.set_capacity(0);
  };
  ASSERT_TRUE(s.Start().ok());
  EXPECT_EQ(*s.Run(), Step::kWaiting);  // no room for the receipt
  EXPECT_EQ(s.session->phase(), NativeSession::Phase::kSendingReceipt);
  EXPECT_EQ(s.session->outcome(), proto::Outcome::kGranted);
  s.pipe.a.Break(Status(Code::kUnavailable, base::kStreamClosed));
  EXPECT_EQ(*s.session->Advance(), Step::kDone);
  EXPECT_EQ(s.session->secrets().size(), 2u);
}

// --- The evidence.

Status ErrorWithReport(std::function<void(base::MutableBytes)> change) {
  World s;
  s.evidence.change = std::move(change);
  EXPECT_TRUE(s.Start().ok());
  const Result<Step> step = s.Run();
  EXPECT_TRUE(s.verifier.evidence.empty());
  return step.status();
}

TEST(NativeSessionTest, AReportThatIsNotOursIsNotSent) {
  namespace layout = sev::report_layout;
  for (size_t i = 0; i < kReportDataSize; ++i) {
    EXPECT_EQ(ErrorWithReport([i](base::MutableBytes report) {
                report[layout::ReportData::kOffset + i] ^= 0x80;
              }),
              Status(Code::kUnauthenticated, kReportNotOurs));
  }
  EXPECT_EQ(ErrorWithReport([](base::MutableBytes report) {
              report[layout::Vmpl::kOffset] = 1;
            }),
            Status(Code::kUnauthenticated, kReportWrongVmpl));
  for (const uint8_t version : {0, 1, 6, 255}) {
    EXPECT_EQ(ErrorWithReport([version](base::MutableBytes report) {
                report[layout::Version::kOffset] = version;
              }),
              Status(Code::kUnauthenticated, sev::kReportUnknownVersion));
  }
}

TEST(NativeSessionTest, ErrorsOfTheEvidenceSourceComeThrough) {
  const Status busy(Code::kUnavailable, base::kDeadlinePassed);
  {
    World s;
    s.evidence.failure = busy;
    ASSERT_TRUE(s.Start().ok());
    EXPECT_EQ(s.Run().status(), busy);
  }
  {
    World s;
    s.evidence.certificate_failure = busy;
    ASSERT_TRUE(s.Start().ok());
    EXPECT_EQ(s.Run().status(), busy);
  }
  {
    World s;
    s.guest.export_failure = busy;
    ASSERT_TRUE(s.Start().ok());
    EXPECT_EQ(s.Run().status(), busy);
    EXPECT_EQ(s.evidence.reports, 0);
  }
}

// --- What binds evidence to its session.

TEST(NativeSessionTest, AReportOfAnotherSessionDoesNotMatch) {
  World first;
  ASSERT_TRUE(first.Start().ok());
  ASSERT_EQ(*first.Run(), Step::kDone);
  // Same nonce, same messages; the guest's secure processor is made to repeat
  // the first report. The guest notices.
  World second;
  second.evidence.change = [&first](base::MutableBytes report) {
    std::copy(first.verifier.report.begin(), first.verifier.report.end(),
              report.begin());
  };
  second.verifier.nonce[0] = 9;
  ASSERT_TRUE(second.Start().ok());
  EXPECT_EQ(second.Run().status(),
            Status(Code::kUnauthenticated, kReportNotOurs));
}

TEST(NativeSessionTest, RelayedIntoAnotherChannelDoesNotMatch) {
  // A relay that holds the verifier's key ends the guest's session and starts
  // its own: two sessions, two exporters.
  MemoryPipe pipe;
  World s;
  FakeChannel relayed(s.pipe.b, /*session_key=*/2);
  ScriptedVerifier verifier(relayed);
  ASSERT_TRUE(s.Start().ok());
  Result<Step> step = Step::kWaiting;
  while (step.ok() && *step == Step::kWaiting) {
    step = s.session->Advance();
    ASSERT_TRUE(verifier.Advance().ok());
  }
  EXPECT_FALSE(verifier.report_data_matches);
  EXPECT_EQ(s.session->outcome(), proto::Outcome::kEvidenceInvalid);
  EXPECT_EQ(s.session->secrets().size(), 0u);
}

// Each bit that the guest sends before its verdict: changed on the way, it
// never leads to a grant with matching report data.
TEST(NativeSessionTest, ChangedRequestsAndChallengesDoNotMatch) {
  size_t request_size = 60;
  for (size_t at = 4; at < request_size; ++at) {
    World s;
    s.pipe.a.set_change([at](size_t position, uint8_t byte) {
      return position == at ? static_cast<uint8_t>(byte ^ 1) : byte;
    });
    ASSERT_TRUE(s.Start().ok());
    (void)s.Run();
    request_size = 4 + s.verifier.request.size();
    EXPECT_FALSE(s.verifier.report_data_matches) << at;
    EXPECT_EQ(s.session->secrets().size(), 0u);
  }
  for (size_t at = 4; at < 40; ++at) {
    World s;
    s.pipe.b.set_change([at](size_t position, uint8_t byte) {
      return position == at ? static_cast<uint8_t>(byte ^ 1) : byte;
    });
    ASSERT_TRUE(s.Start().ok());
    (void)s.Run();
    EXPECT_FALSE(s.verifier.report_data_matches) << at;
  }
}

TEST(NativeSessionTest, WrongCalls) {
  World s;
  EXPECT_EQ(s.session->Advance().status().reason(), kSessionWrongState);
  s.session->Wipe();
  ASSERT_TRUE(s.Start().ok());
  EXPECT_EQ(s.Start(), Status(Code::kFailedPrecondition, kSessionWrongState));
}

TEST(NativeSessionTest, WipeLeavesNoSecret) {
  World s;
  ASSERT_TRUE(s.Start().ok());
  ASSERT_EQ(*s.Run(), Step::kDone);
  const std::vector<uint8_t> key(32, 0x11);
  const auto count = [&s, &key] {
    const auto* bytes = reinterpret_cast<const uint8_t*>(s.session.get());
    size_t found = 0;
    for (size_t i = 0; i + key.size() <= sizeof(NativeSession); ++i) {
      if (base::Equal({bytes + i, key.size()}, key)) ++found;
    }
    return found;
  };
  EXPECT_EQ(count(), 1u);  // the buffer and the arena have none any more
  s.session->Wipe();
  EXPECT_EQ(count(), 0u);
}

}  // namespace
}  // namespace attest
