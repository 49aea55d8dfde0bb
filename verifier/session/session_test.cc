// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "attest/report_data.h"
#include "gtest/gtest.h"
#include "sev/guest_policy.h"
#include "sev/report.h"
#include "verifier/reasons.h"
#include "verifier/session/audit_record.h"
#include "verifier/session/report_data.h"
#include "verifier/session/session.h"
#include "verifier/session/session_fixture.h"
#include "verifier/store/database.h"
#include "verifier/testing/evidence_maker.h"
#include "verifier/testing/guest_messages.h"
#include "verifier/testing/scratch_store.h"

namespace verifier {
namespace {

using testing::EvidenceFor;
using testing::GoodCertificates;
using testing::GoodManifest;
using testing::kSecretPath;
using testing::kSecretText;
using testing::MakeReport;
using testing::PackTable;
using testing::ReportBytes;
using testing::RequestFor;
using testing::ScratchStore;

TEST_F(SessionTest, GrantsAndCountsBoots) {
  const Received first = Attest();
  EXPECT_EQ(first.outcome, proto::Outcome::kGranted) << first.log;
  ASSERT_EQ(first.secrets.size(), 1u);
  EXPECT_EQ(first.secrets[0], kSecretText);
  EXPECT_EQ(first.boot_counter, 1u);
  EXPECT_TRUE(first.previous.empty());
  EXPECT_EQ(first.size % proto::kVerdictUnit, 0u);
  EXPECT_NE(first.log.find("EMULATED"), std::string::npos);
  std::vector<uint8_t> report_id;
  const Received second = Attest([&](ReportBytes& report) {
    const size_t at = sev::report_layout::ReportId::kOffset;
    report_id.assign(report.begin() + at, report.begin() + at + 32);
  });
  EXPECT_EQ(second.boot_counter, 2u);
  EXPECT_EQ(second.previous.size(), 32u);
  EXPECT_EQ(Attest().previous, report_id);
}

TEST_F(SessionTest, RefusalsTellTheGuestNothing) {
  const Received denied =
      Attest([](ReportBytes& report) { report[0x90] ^= 1; });
  EXPECT_EQ(denied.outcome, proto::Outcome::kNotAuthorised);
  EXPECT_TRUE(denied.secrets.empty());
  EXPECT_EQ(denied.size, Attest().size);
  EXPECT_NE(denied.log.find("not_authorised"), std::string::npos);
  EXPECT_NE(denied.log.find("EMULATED"), std::string::npos);
}

TEST_F(SessionTest, LogNeverHoldsTheSecret) {
  ASSERT_EQ(Attest().outcome, proto::Outcome::kGranted);
  const auto entry = store_->FindAudit(id_);
  ASSERT_TRUE(entry.ok());
  const std::string all = absl::StrCat(entry->detail, ToText(*entry));
  EXPECT_EQ(all.find(kSecretText), std::string::npos);
  EXPECT_EQ(all.find(ossl::Hex(ossl::AsBytes(kSecretText))), std::string::npos);
  EXPECT_EQ(all.find("294912"), std::string::npos);
}

TEST_F(SessionTest, EveryReasonNotOnlyTheFirst) {
  const Received verdict = Attest([](ReportBytes& report) {
    report[sev::report_layout::Vmpl::kOffset] = 1;
    report[sev::report_layout::Measurement::kOffset] ^= 1;
    report[sev::report_layout::Policy::kOffset + 2] |= 0x08;
  });
  EXPECT_EQ(verdict.outcome, proto::Outcome::kEvidenceInvalid);
  ExpectLog(verdict, kReportVmpl);
  ExpectLog(verdict, kReportDebug);
  ExpectLog(verdict, kMeasurementNotAllowed);
}

TEST_F(SessionTest, PolicyMayNameAnUnknownBit) {
  const auto put = store_->PutPolicy(
      absl::StrReplaceAll(testing::GoodPolicy(),
                          {{"unknown_bits = []", "unknown_bits = [26]"}}),
      "p", Store::Put::kReplace);
  ASSERT_TRUE(put.ok()) << put.status();
  const auto set = [](uint8_t bit) {
    return [bit](ReportBytes& report) {
      report[sev::report_layout::Policy::kOffset + 3] |= bit;
    };
  };
  EXPECT_EQ(Attest(set(0x04)).outcome, proto::Outcome::kGranted);
  ExpectLog(Attest(set(0x0C)), kReportPolicyBit);
}

TEST_F(SessionTest, PolicyMayAllowATcbAboveTheCurrent) {
  const auto lower = [](ReportBytes& report) {
    --report[sev::report_layout::CurrentTcb::kEnd - 1];
  };
  const Received refused = Attest(lower);
  EXPECT_EQ(refused.outcome, proto::Outcome::kEvidenceInvalid);
  ExpectLog(refused, kReportTcbAboveCurrent);
  ExpectLog(refused, kTcbAboveCurrentNotAllowed);
  const auto put =
      store_->PutPolicy(absl::StrReplaceAll(testing::GoodPolicy(),
                                            {{"unattested_boot = ",
                                              "tcb_above_current = \"any\"\n"
                                              "unattested_boot = "}}),
                        "p", Store::Put::kReplace);
  ASSERT_TRUE(put.ok()) << put.status();
  EXPECT_EQ(Attest(lower).outcome, proto::Outcome::kGranted);
}

TEST_F(SessionTest, ThreeThingsMustAgreeForEmulation) {
  allow_emulated_ = false;
  const Received verdict = Attest();
  EXPECT_EQ(verdict.outcome, proto::Outcome::kNotAuthorised);
  ExpectLog(verdict, kEmulatedNotAllowed);
  EXPECT_NE(verdict.log.find("EMULATED"), std::string::npos);
}

TEST_F(SessionTest, PolicyOfAnotherRootRefuses) {
  const std::string policy = absl::StrReplaceAll(
      testing::GoodPolicy(),
      {{ossl::Hex(testing::TestRoot().sha256), std::string(64, '0')}});
  ASSERT_TRUE(store_->PutPolicy(policy, "p", Store::Put::kReplace).ok());
  const Received verdict = Attest();
  EXPECT_EQ(verdict.outcome, proto::Outcome::kNotAuthorised);
  ExpectLog(verdict, kRootNotNamed);
}

TEST_F(SessionTest, RootThatIsNotAcceptedAnyMore) {
  ASSERT_TRUE(store_->RemoveRoot(testing::TestRoot().sha256).ok());
  const Received verdict = Attest();
  EXPECT_EQ(verdict.outcome, proto::Outcome::kEvidenceInvalid);
  ExpectLog(verdict, kRootNotAccepted);
}

TEST_F(SessionTest, ArkMayComeFromTheStore) {
  certificates_.ark.clear();
  EXPECT_EQ(Attest().outcome, proto::Outcome::kGranted);
}

TEST_F(SessionTest, MissingOrMixedCertificates) {
  const auto good = certificates_;
  const auto expect = [&](base::Reason reason) {
    const Received verdict = Attest();
    EXPECT_EQ(verdict.outcome, proto::Outcome::kEvidenceInvalid);
    ExpectLog(verdict, reason);
    certificates_ = good;
  };
  certificates_.vcek.clear();
  expect(kEvidenceNoLeaf);
  certificates_.ask.clear();
  expect(kEvidenceNoAsk);
  certificates_.vcek = good.ask;
  expect(kVcekKey);
  certificates_.vcek = good.ask;
  expect(kVcekExtensionMissing);
  certificates_.ask = good.ark;
  expect(kCertificateSignature);
  // The ARK in the store is better than what the host has in its place.
  certificates_.ark = good.ask;
  EXPECT_EQ(Attest().outcome, proto::Outcome::kGranted);
  certificates_ = good;
  certificates_.ask.push_back(0);
  expect(kCertificateMalformed);
  now_ms_ = 0;
  expect(kCertificateNotYetValid);
  now_ms_ = int64_t{95'000'000'000} * 1000;  // Year 4980.
  expect(kCertificateExpired);
}

TEST_F(SessionTest, RequestsThatNoPolicyAnswers) {
  vm_ = "demo/vm2";
  Received verdict = Attest();
  EXPECT_EQ(verdict.outcome, proto::Outcome::kNotAuthorised);
  ExpectLog(verdict, kVmNotNamed);
  ExpectLog(verdict, kPathNotOfVm);
  vm_ = "demo/vm1";
  paths_ = {std::string(kSecretPath), "demo/vm1/other"};
  verdict = Attest();
  EXPECT_EQ(verdict.outcome, proto::Outcome::kNotAuthorised);
  EXPECT_TRUE(verdict.secrets.empty());  // All or none.
  ExpectLog(verdict, kSecretUnknown);
  paths_ = {"else/where"};
  ExpectLog(Attest(), kNoGoverningPolicy);
}

TEST_F(SessionTest, ChangedBootFiles) {
  auto manifest = GoodManifest();
  // The kernel's digest is in the first field.
  manifest[20] ^= 1;
  const Received verdict = Attest([](ReportBytes&) {}, manifest);
  EXPECT_EQ(verdict.outcome, proto::Outcome::kNotAuthorised) << verdict.log;
  ExpectLog(verdict, kKernelNotAllowed);
}

TEST_F(SessionTest, ReportOfSession1InSession2) {
  const auto request = RequestFor(vm_, paths_);
  Session one(*store_, tls_, Options());
  const Reply challenge_1 = one.OnMessage(request);
  const auto evidence_1 = testing::GoodEvidence(Binding(challenge_1.bytes()),
                                                request, challenge_1.bytes());
  // The same TLS session would be enough: the nonce is another.
  Session two(*store_, tls_, Options());
  const Reply challenge_2 = two.OnMessage(request);
  EXPECT_FALSE(base::Equal(challenge_1.bytes(), challenge_2.bytes()));
  const Received verdict = Read(two.OnMessage(evidence_1));
  EXPECT_EQ(verdict.outcome, proto::Outcome::kEvidenceInvalid);
  ExpectLog(verdict, kReportDataMismatch);
  EXPECT_EQ(Read(one.OnMessage(evidence_1)).outcome, proto::Outcome::kGranted);
}

// It ends the guest's TLS itself and relays every message to the verifier.
TEST_F(SessionTest, ManInTheMiddleWithTheServersKey) {
  FakeTls other("the session between the relay and the verifier");
  Session session(*store_, other, Options());
  const auto request = RequestFor(vm_, paths_);
  const Reply challenge = session.OnMessage(request);
  const auto evidence = testing::GoodEvidence(Binding(challenge.bytes()),
                                              request, challenge.bytes());
  const Received verdict = Read(session.OnMessage(evidence));
  EXPECT_EQ(verdict.outcome, proto::Outcome::kEvidenceInvalid);
  ExpectLog(verdict, kReportDataMismatch);
}

TEST_F(SessionTest, ChangedRequest) {
  const auto sent = RequestFor(vm_, {"demo/vm1/harmless"});
  const auto received = RequestFor(vm_, paths_);
  Session session(*store_, tls_, Options());
  const Reply challenge = session.OnMessage(received);
  const Received verdict = Read(session.OnMessage(testing::GoodEvidence(
      Binding(challenge.bytes()), sent, challenge.bytes())));
  EXPECT_EQ(verdict.outcome, proto::Outcome::kEvidenceInvalid);
  ExpectLog(verdict, kReportDataMismatch);
}

TEST_F(SessionTest, NonsenseIsAProtocolErrorAndLogged) {
  const auto request = RequestFor(vm_, paths_);
  for (const auto& body :
       {std::vector<uint8_t>{}, std::vector<uint8_t>(100, 0xFF),
        std::vector<uint8_t>(65536, 0), RequestFor("a//b", paths_),
        RequestFor(vm_, {"x", "x"})}) {
    Session session(*store_, tls_, Options());
    const Received verdict = Read(session.OnMessage(body));
    EXPECT_EQ(verdict.outcome, proto::Outcome::kProtocolError);
    EXPECT_FALSE(verdict.log.empty());
    EXPECT_TRUE(session.done());
  }
  // The request again where evidence is due.
  Session session(*store_, tls_, Options());
  (void)session.OnMessage(request);
  EXPECT_EQ(Read(session.OnMessage(request)).outcome,
            proto::Outcome::kProtocolError);
  EXPECT_TRUE(session.done());
}

TEST_F(SessionTest, OneAttestationAConnection) {
  const auto request = RequestFor(vm_, paths_);
  Session session(*store_, tls_, Options());
  const Reply challenge = session.OnMessage(request);
  (void)session.OnMessage(testing::GoodEvidence(Binding(challenge.bytes()),
                                                request, challenge.bytes()));
  EXPECT_TRUE(session.decided());
  EXPECT_FALSE(session.done());
  // In place of the receipt.
  EXPECT_TRUE(session.OnMessage(request).bytes().empty());
  EXPECT_TRUE(session.done());
  EXPECT_TRUE(session.OnMessage(request).bytes().empty());
}

TEST_F(SessionTest, ReceiptGoesToTheLogAndDecidesNothing) {
  const auto request = RequestFor(vm_, paths_);
  Session session(*store_, tls_, Options());
  const Reply challenge = session.OnMessage(request);
  const Received verdict = Read(session.OnMessage(testing::GoodEvidence(
      Binding(challenge.bytes()), request, challenge.bytes())));
  EXPECT_NE(verdict.log.find("receipt       none"), std::string::npos);
  (void)session.OnMessage(
      testing::EncodeMessage(proto::AttestReceipt{.accepted = true}));
  const auto entry = store_->FindAudit(id_);
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(entry->receipt, "accepted");
}

// ESC c resets a terminal; both bytes come from the peer.
TEST_F(SessionTest, ReceiptsReasonIsNotForTheOwnersTerminal) {
  const auto request = RequestFor(vm_, paths_);
  const struct {
    uint32_t reason;
    const char* want;
  } cases[] = {{0x1b6307, "refused ?"},
               {0x41620a, "refused ?"},
               {0x7f5b01, "refused ?"},
               {0, "refused ?"},
               {0x415407, "refused AT7"}};
  for (const auto& c : cases) {
    Session session(*store_, tls_, Options());
    const Reply challenge = session.OnMessage(request);
    (void)Read(session.OnMessage(testing::GoodEvidence(
        Binding(challenge.bytes()), request, challenge.bytes())));
    (void)session.OnMessage(testing::EncodeMessage(
        proto::AttestReceipt{.accepted = false, .reason = c.reason}));
    const auto entry = store_->FindAudit(id_);
    ASSERT_TRUE(entry.ok());
    EXPECT_EQ(entry->receipt, c.want);
  }
}

TEST_F(SessionTest, OnlyGenuineEvidenceIsSureOfARecord) {
  record_unproven_ = false;
  const auto request = RequestFor(vm_, paths_);
  {
    Session session(*store_, tls_, Options());
    EXPECT_EQ(Read(session.OnMessage(std::vector<uint8_t>(9, 0xFF))).outcome,
              proto::Outcome::kProtocolError);
    EXPECT_NE(id_, DecisionId{});
    EXPECT_FALSE(store_->FindAudit(id_).ok());
  }
  {
    // A genuine report, but of another TLS session.
    FakeTls other("another session");
    Session session(*store_, other, Options());
    const Reply challenge = session.OnMessage(request);
    const Received verdict = Read(session.OnMessage(testing::GoodEvidence(
        Binding(challenge.bytes()), request, challenge.bytes())));
    EXPECT_EQ(verdict.outcome, proto::Outcome::kEvidenceInvalid);
    EXPECT_FALSE(store_->FindAudit(id_).ok());
    (void)session.OnMessage(
        testing::EncodeMessage(proto::AttestReceipt{.accepted = true}));
  }
  EXPECT_TRUE(lines_.empty());
  const Received denied =
      Attest([](ReportBytes& report) { report[0x90] ^= 1; });
  EXPECT_EQ(denied.outcome, proto::Outcome::kNotAuthorised);
  EXPECT_FALSE(denied.log.empty());
  const Received debug = Attest([](ReportBytes& report) {
    report[sev::report_layout::Policy::kOffset + 2] |= 0x08;
  });
  EXPECT_EQ(debug.outcome, proto::Outcome::kEvidenceInvalid);
  EXPECT_FALSE(debug.log.empty());
  // Whoever holds a test key could fill the log of a server that accepts none.
  allow_emulated_ = false;
  EXPECT_EQ(Attest().outcome, proto::Outcome::kNotAuthorised);
  EXPECT_FALSE(store_->FindAudit(id_).ok());
}

TEST_F(SessionTest, LockedDatabaseIsTryLater) {
  auto other = Database::Open(absl::StrCat(store_.folder(), "/verifier.db"),
                              Database::Mode::kOpen);
  ASSERT_TRUE(other.ok()) << other.status();
  ASSERT_TRUE(other->Run("BEGIN IMMEDIATE").ok());
  store_->LimitWaiting(std::chrono::milliseconds(1));
  const Received verdict = Attest();
  EXPECT_EQ(verdict.outcome, proto::Outcome::kTryLater);
  EXPECT_TRUE(verdict.secrets.empty());
  ASSERT_FALSE(lines_.empty());
  EXPECT_NE(lines_[0].find("not recorded"), std::string::npos) << lines_[0];
  ASSERT_TRUE(other->Run("ROLLBACK").ok());
  EXPECT_EQ(Attest().boot_counter, 1u);
}

TEST(AuditText, IsPrintableWhateverTheRowHolds) {
  AuditEntry entry;
  entry.vm =
      "a\x1b"
      "c";
  entry.outcome =
      "\x9b"
      "2J";
  entry.receipt =
      "refused \x1b"
      "c7";
  entry.detail =
      R"({"peer":"\u001bc\n","findings":[{"reason":"\u001b","what":"w",)"
      R"("detail":"\u009b"}],"asked":[{"path":"\u001b[2J"}]})";
  const std::string text = ToText(entry);
  for (const char c : text) {
    EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7F)) << text;
  }
  EXPECT_NE(text.find("refused \\x1bc7"), std::string::npos) << text;
}

TEST_F(SessionTest, EveryTruncationAndFlippedBitOfEvidenceIsRefused) {
  // A sample of positions: each one costs three signatures.
  const auto request = RequestFor(vm_, paths_);
  const auto run = [&](const std::function<void(std::vector<uint8_t>&)>& edit) {
    Session session(*store_, tls_, Options());
    const Reply challenge = session.OnMessage(request);
    auto evidence = testing::GoodEvidence(Binding(challenge.bytes()), request,
                                          challenge.bytes());
    edit(evidence);
    return Read(session.OnMessage(evidence)).outcome;
  };
  const size_t signed_bytes = sev::kReportSignedSize + 2 * 48;
  for (size_t at = 3; at < signed_bytes; at += 23) {
    // Three bytes of tag and length come before the report.
    EXPECT_NE(run([&](auto& evidence) {
                evidence[at + 3] ^= static_cast<uint8_t>(1u << at % 8);
              }),
              proto::Outcome::kGranted)
        << at;
  }
  for (size_t size = 0; size < 5000; size += 331) {
    EXPECT_NE(run([&](auto& evidence) { evidence.resize(size); }),
              proto::Outcome::kGranted)
        << size;
  }
}

TEST_F(SessionTest, NoExporterNoVerdict) {
  tls_.works = false;
  EXPECT_EQ(Attest().outcome, proto::Outcome::kTryLater);
}

// Two stacks: OpenSSL here, Mbed TLS in the guest.
TEST(ReportData, GuestComputesTheSame) {
  std::array<uint8_t, kSessionBindingSize> binding;
  ossl::RandomBytes(binding);
  const auto request = RequestFor("demo/vm1", {"demo/vm1/root"});
  const std::vector<uint8_t> challenge(34, 7);
  const auto manifest = GoodManifest();
  EXPECT_TRUE(base::Equal(
      ReportData(binding, request, challenge, manifest),
      attest::ComputeReportData(
          binding, attest::TranscriptHash(request, challenge), manifest)));
}

}  // namespace
}  // namespace verifier
