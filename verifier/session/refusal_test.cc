// SPDX-License-Identifier: Apache-2.0
//
// What must never be granted: evidence that breaks the fixed core, and a store
// that somebody wrote to.
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gtest/gtest.h"
#include "sev/guest_policy.h"
#include "sev/report.h"
#include "verifier/reasons.h"
#include "verifier/session/report_data.h"
#include "verifier/session/session.h"
#include "verifier/session/session_fixture.h"
#include "verifier/testing/evidence_maker.h"
#include "verifier/testing/guest_messages.h"
#include "verifier/testing/scratch_store.h"

namespace verifier {
namespace {

using testing::ReportBytes;
using testing::ScratchStore;

// The fixed core: what a genuine key signed and no policy may accept.
TEST_F(SessionTest, FixedCore) {
  namespace layout = sev::report_layout;
  struct Case {
    base::Reason want;
    size_t at;
    uint8_t flip;
  };
  const Case cases[] = {
      {kReportDataMismatch, layout::ReportData::kOffset + 63, 0x80},
      {kReportVmpl, layout::Vmpl::kOffset, 0x01},
      {kReportVmpl, layout::Vmpl::kOffset + 3, 0xFF},
      {kReportDebug, layout::Policy::kOffset + 2, 0x08},
      {kReportMigrationAgent, layout::Policy::kOffset + 2, 0x04},
      {kReportPolicyReserved, layout::Policy::kOffset + 2, 0x02},
      {kReportPolicyBit, layout::Policy::kOffset + 3, 0x04},
      {kReportPolicyBit, layout::Policy::kOffset + 7, 0x80},
      {kReportSigningKey, layout::KeyInfo::kOffset, 0x04},  // VLEK
      {kReportSigningKey, layout::KeyInfo::kOffset, 0x1C},  // none
      {kReportMasksChipKey, layout::KeyInfo::kOffset, 0x02},
      {kVcekTcbMismatch, layout::ReportedTcb::kOffset, 0x01},
      {kVcekTcbMismatch, layout::ReportedTcb::kOffset + 3, 0x01},
      {kVcekTcbMismatch, layout::ReportedTcb::kOffset + 7, 0x01},
      {kVcekChipIdMismatch, layout::ChipId::kOffset + 63, 0x01},
      {kReportProductMismatch, layout::Cpuid::kOffset + 1, 0x10},  // Genoa
  };
  for (const Case& c : cases) {
    const Received verdict =
        Attest([&](ReportBytes& report) { report[c.at] ^= c.flip; });
    EXPECT_EQ(verdict.outcome, proto::Outcome::kEvidenceInvalid)
        << ReasonCode(c.want);
    EXPECT_TRUE(verdict.secrets.empty());
    ExpectLog(verdict, c.want);
  }
}

TEST_F(SessionTest, TamperedRowsAreTryLater) {
  struct Case {
    const char* name;
    std::string sql;
  };
  const Case cases[] = {
      {"policy text",
       "UPDATE policies SET text = replace(text, 'false', 'true')"},
      {"policy name", "UPDATE policies SET name = 'else'"},
      {"class", "UPDATE bindings SET class = 0"},
      {"class of nothing", "UPDATE bindings SET class = 7"},
      {"version", "UPDATE bindings SET version = 9"},
      {"kind", "UPDATE bindings SET kind = 1"},
      {"path", "UPDATE bindings SET policy = ''"},
      {"mac", "UPDATE bindings SET mac = x'00'"},
      {"sealed", "UPDATE secrets SET sealed = zeroblob(length(sealed))"},
      {"short", "UPDATE secrets SET sealed = x'00'"},
      {"no sealed row", "DELETE FROM secrets"},
      {"key id", "UPDATE secrets SET key_id = '2'"},
      {"data key", "UPDATE data_keys SET wrapped = zeroblob(60)"},
      {"root class", "UPDATE roots SET class = 0"},
      {"root", "UPDATE roots SET sha256 = zeroblob(32) WHERE class = 1"},
      {"generation", "DELETE FROM meta WHERE key = 'generation'"},
      {"no audit table", "DROP TABLE audit"},
  };
  for (const Case& c : cases) {
    ScratchStore fresh;
    std::swap(fresh, store_);
    ASSERT_EQ(Attest().outcome, proto::Outcome::kGranted);
    store_.Tamper(c.sql);
    const Received verdict = Attest();
    EXPECT_TRUE(verdict.outcome == proto::Outcome::kTryLater ||
                verdict.outcome == proto::Outcome::kNotAuthorised)
        << c.name << "\n"
        << verdict.log;
    EXPECT_TRUE(verdict.secrets.empty()) << c.name;
  }
}

TEST_F(SessionTest, SwappedSecretsAreTryLater) {
  ASSERT_TRUE(store_
                  ->AddSecret("demo/vm1/two", TrustClass::kEmulated,
                              testing::DiskSecret("another"))
                  .ok());
  store_.Tamper(
      "UPDATE secrets SET path = 'tmp' WHERE path = 'demo/vm1/root';"
      "UPDATE secrets SET path = 'demo/vm1/root' WHERE path = 'demo/vm1/two';"
      "UPDATE secrets SET path = 'demo/vm1/two' WHERE path = 'tmp';");
  const Received verdict = Attest();
  EXPECT_EQ(verdict.outcome, proto::Outcome::kTryLater);
  ExpectLog(verdict, kRowUnauthentic);
}

TEST_F(SessionTest, TamperedBootCounterIsTryLater) {
  ASSERT_EQ(Attest().outcome, proto::Outcome::kGranted);
  store_.Tamper("UPDATE leases SET boot_counter = 0");
  const Received verdict = Attest();
  EXPECT_EQ(verdict.outcome, proto::Outcome::kTryLater);
  ExpectLog(verdict, kRowUnauthentic);
}

TEST_F(SessionTest, GrantFromAnOldSnapshotIsTryLater) {
  const DecisionRecord record{.id = {1},
                              .vm = "demo/vm1",
                              .outcome = "granted",
                              .detail = "{}",
                              .granted_report = ReportId{},
                              .generation = 0};
  EXPECT_EQ(store_->Commit(record).status().code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace verifier
