// SPDX-License-Identifier: Apache-2.0
//
// Imported certificates and revocation lists in a session, the chain cache, and
// what the owner's log says of them.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "sev/report.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/endorsements/leaf_facts.h"
#include "verifier/reasons.h"
#include "verifier/session/audit_record.h"
#include "verifier/session/session_fixture.h"
#include "verifier/testing/evidence_maker.h"

namespace verifier {
namespace {

using testing::Revoked;

class ImportedTest : public SessionTest {
 protected:
  void Import(const std::vector<std::vector<uint8_t>>& files) {
    auto endorsements = std::make_shared<Endorsements>();
    for (const auto& file : files) {
      const absl::Status added = endorsements->Add(file, {.name = "test"});
      EXPECT_TRUE(added.ok()) << added;
    }
    endorsements_ = std::move(endorsements);
  }
  // The host sends the VCEK alone.
  void SendOnlyTheLeaf() {
    certificates_.ask.clear();
    certificates_.ark.clear();
  }
  static void ExpectHas(const std::string& text, const std::string& line) {
    EXPECT_NE(text.find(line), std::string::npos)
        << "want \"" << line << "\" in\n"
        << text;
  }
};

TEST_F(ImportedTest, CompletesTheChain) {
  SendOnlyTheLeaf();
  const Received without = Attest();
  EXPECT_EQ(without.outcome, proto::Outcome::kEvidenceInvalid);
  ExpectLog(without, kEvidenceNoAsk);
  const auto good = testing::GoodCertificates();
  Import({good.ask, good.ark});
  const Received with = Attest();
  EXPECT_EQ(with.outcome, proto::Outcome::kGranted) << with.log;
  ExpectHas(with.log, "crl           not checked\n");
}

TEST_F(ImportedTest, ListIsCheckedAndLogged) {
  Import({testing::MakeCrl(1, Revoked::kNothing)});
  const Received verdict = Attest();
  EXPECT_EQ(verdict.outcome, proto::Outcome::kGranted) << verdict.log;
  ExpectHas(verdict.log, "crl           checked, nothing revoked\n");
  ExpectHas(verdict.log, "product       Milan\n");
  ExpectHas(verdict.log, "signer        VCEK\n");
  ExpectHas(verdict.log,
            "reported_tcb  boot_loader 4, tee 0, snp 24, microcode 219 "
            "(db18000000000004)\n");
}

// A chain in the cache does not outlive the import of a newer list.
TEST_F(ImportedTest, RevocationAfterAGrant) {
  Import({testing::MakeCrl(1, Revoked::kNothing)});
  EXPECT_EQ(Attest().outcome, proto::Outcome::kGranted);
  EXPECT_EQ(Attest().outcome, proto::Outcome::kGranted);
  EXPECT_EQ(cache_.size(), 1u);
  Import({testing::MakeCrl(2, Revoked::kAsk)});
  const Received verdict = Attest();
  EXPECT_EQ(verdict.outcome, proto::Outcome::kEvidenceInvalid);
  ExpectLog(verdict, kCertificateRevoked);
  EXPECT_EQ(cache_.size(), 1u);
}

TEST_F(ImportedTest, StaleListRefuses) {
  Import({testing::MakeCrl(1, Revoked::kNothing)});
  now_ms_ += int64_t{8} * 365 * 86400 * 1000;
  ExpectLog(Attest(), kCrlStale);
}

TEST(AuditText, TurinAndVlekByTheirParts) {
  std::vector<uint8_t> bytes(sev::kReportSize, 0);
  bytes[0] = 5;
  for (int i = 0; i < 8; ++i) {
    bytes[sev::report_layout::ReportedTcb::kOffset + i] =
        static_cast<uint8_t>(i + 1);
  }
  const auto report = sev::UnverifiedReport::FromBytes(bytes);
  ASSERT_TRUE(report.ok());
  AuditDetail detail;
  detail.evidence.report = *report;
  detail.evidence.signer = SignerKind::kVlek;
  detail.evidence.csp_id = "CN=cc.example.com\x1b[2J";
  AuditEntry entry;
  // Without the product a TCB cannot be taken apart.
  entry.detail = ToJson(detail);
  std::string text = ToText(entry);
  EXPECT_NE(text.find("reported_tcb  0807060504030201\n"), std::string::npos)
      << text;
  detail.evidence.product = sev::Product::kTurin;
  entry.detail = ToJson(detail);
  text = ToText(entry);
  EXPECT_NE(text.find("reported_tcb  fmc 1, boot_loader 2, tee 3, snp 4, "
                      "microcode 8 (0807060504030201)\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("signer        VLEK of CN=cc.example.com\\x1b[2J\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("product       Turin\n"), std::string::npos) << text;
}

TEST(AuditText, OfARowThatIsNotOurs) {
  for (const char* detail :
       {R"({"report":[],"product":1,"signer":{},"crl_checked":"no"})",
        R"({"report":{"tcb":7,"reported_tcb":[]}})",
        R"({"report":{"tcb":{"reported":"x","launch":[1]}}})",
        R"({"report":{"tcb":{"reported":{"\u001b[2J":{},"b":null}}}})"}) {
    AuditEntry entry;
    entry.detail = detail;
    for (const char c : ToText(entry)) {
      EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7F)) << detail;
    }
  }
}

}  // namespace
}  // namespace verifier
