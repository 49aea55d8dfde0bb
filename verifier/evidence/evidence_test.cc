// SPDX-License-Identifier: Apache-2.0
//
// The fixed core against the emulated firmware's hierarchy.
#include "verifier/evidence/evidence.h"

#include <openssl/ec.h>

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "psp/certificates.h"
#include "psp/hierarchy.h"
#include "psp/testing.h"
#include "verifier/endorsements/amd_roots.h"
#include "verifier/evidence/chain_cache.h"
#include "verifier/reasons.h"
#include "verifier/testing/evidence_maker.h"

namespace verifier {
namespace {

using testing::Certificates;
using testing::GoodCertificates;
using testing::MakeReport;
using testing::PackTable;
using testing::ReportBytes;

constexpr time_t kNow = 1800000000;  // January 2027.
const std::vector<uint8_t> kReportData(64, 0x42);

struct Case {
  std::vector<uint8_t> report;
  std::vector<uint8_t> table = PackTable(GoodCertificates());
  std::vector<AcceptedRoot> roots = {testing::TestRoot()};
  time_t now = kNow;

  Case() {
    const ReportBytes good = MakeReport(kReportData);
    report.assign(good.begin(), good.end());
  }
  EvidenceResult Verify(ChainCache* cache = nullptr) const {
    EvidenceInput input{.report = report,
                        .certificates = table,
                        .roots = roots,
                        .now = now,
                        .cache = cache};
    input.report_data.fill(0x42);
    return VerifyEvidence(input);
  }
};

bool Has(const Findings& findings, base::Reason reason) {
  for (const Finding& finding : findings) {
    if (finding.reason == reason) return true;
  }
  return false;
}

std::string Codes(const Findings& findings) {
  std::string codes;
  for (const Finding& finding : findings) {
    codes += ReasonCode(finding.reason) + " ";
  }
  return codes;
}

TEST(Evidence, GoodIsVerified) {
  const EvidenceResult result = Case().Verify();
  EXPECT_TRUE(result.findings.empty()) << Codes(result.findings);
  ASSERT_TRUE(result.verified);
  EXPECT_EQ(result.verified->trust_class(), TrustClass::kEmulated);
  EXPECT_EQ(result.verified->root(), testing::TestRoot().sha256);
}

TEST(Evidence, NoTruncationVerifies) {
  const Case good;
  for (size_t size = 0; size < good.report.size(); size += 7) {
    Case c = good;
    c.report.resize(size);
    EXPECT_FALSE(c.Verify().verified) << size;
  }
  for (size_t size = 0; size < good.table.size(); size += 61) {
    Case c = good;
    c.table.resize(size);
    EXPECT_FALSE(c.Verify().verified) << size;
  }
}

TEST(Evidence, NoFlippedBitOfTheReportVerifies) {
  Case c;
  ChainCache cache(1);
  for (size_t at = 0; at < c.report.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      c.report[at] ^= static_cast<uint8_t>(1u << bit);
      EXPECT_FALSE(c.Verify(&cache).verified) << at << " bit " << bit;
      c.report[at] ^= static_cast<uint8_t>(1u << bit);
    }
  }
  EXPECT_TRUE(c.Verify(&cache).verified);
}

TEST(Evidence, HighSVerifies) {
  // S and n - S are both signatures of one report.
  Case c;
  BIGNUM* order = BN_new();
  EC_GROUP* group = EC_GROUP_new_by_curve_name(NID_secp384r1);
  ASSERT_EQ(EC_GROUP_get_order(group, order, nullptr), 1);
  uint8_t* s = c.report.data() + sev::report_layout::SignatureS::kOffset;
  BIGNUM* number = BN_lebin2bn(s, 72, nullptr);
  ASSERT_EQ(BN_sub(number, order, number), 1);
  ASSERT_EQ(BN_bn2lebinpad(number, s, 72), 72);
  EXPECT_TRUE(c.Verify().verified);
  // Out of range by the order: the same number modulo n, but no signature.
  ASSERT_EQ(BN_add(number, number, order), 1);
  ASSERT_EQ(BN_bn2lebinpad(number, s, 72), 72);
  EXPECT_TRUE(Has(Case(c).Verify().findings, kReportSignatureRange));
  BN_free(number);
  EC_GROUP_free(group);
  BN_free(order);
}

TEST(Evidence, RootMustBeAccepted) {
  Case c;
  c.roots = {{.sha256 = AmdRoots()[0].sha256, .name = "AMD Milan"}};
  EXPECT_TRUE(Has(c.Verify().findings, kRootNotAccepted));
  c.roots.clear();
  EXPECT_TRUE(Has(c.Verify().findings, kRootNotAccepted));
}

TEST(Evidence, Dates) {
  Case c;
  c.now = 0;
  EXPECT_TRUE(Has(c.Verify().findings, kCertificateNotYetValid));
  c.now = 95'000'000'000;
  EXPECT_TRUE(Has(c.Verify().findings, kCertificateExpired));
}

TEST(Evidence, ArkOfTheStoreIsTheOneThatSigned) {
  // The same name, another key.
  const auto other = *psp::MakeArkCertificate(psp::TestHierarchy().ask_key());
  const AcceptedRoot namesake{.sha256 = ossl::Sha256::Of(other),
                              .trust_class = TrustClass::kEmulated,
                              .name = "namesake",
                              .der = {other.begin(), other.end()}};
  Certificates without_ark = GoodCertificates();
  without_ark.ark.clear();
  Case c;
  c.table = PackTable(without_ark);
  c.roots = {namesake, testing::TestRoot()};
  const EvidenceResult result = c.Verify();
  EXPECT_TRUE(result.verified) << Codes(result.findings);
  EXPECT_EQ(result.appraisal.facts.root, testing::TestRoot().sha256);
  // One that did not sign is not the one that is missing.
  c.roots = {namesake};
  EXPECT_TRUE(Has(c.Verify().findings, kEvidenceNoArk));
  EXPECT_FALSE(c.Verify().genuine);
  c.roots.clear();
  EXPECT_TRUE(Has(c.Verify().findings, kEvidenceNoArk));
}

TEST(Evidence, GenuineIsLessThanVerified) {
  EXPECT_TRUE(Case().Verify().genuine);
  const auto with = [](size_t at, uint8_t flip) {
    Case c;
    const ReportBytes report =
        MakeReport(kReportData, [&](ReportBytes& bytes) { bytes[at] ^= flip; });
    c.report.assign(report.begin(), report.end());
    return c.Verify();
  };
  const EvidenceResult debug = with(sev::report_layout::Policy::kOffset + 2, 8);
  EXPECT_TRUE(debug.genuine);
  EXPECT_FALSE(debug.verified);
  const EvidenceResult of_another_session =
      with(sev::report_layout::ReportData::kOffset, 1);
  EXPECT_FALSE(of_another_session.genuine);
  EXPECT_FALSE(of_another_session.verified);
  Case unsigned_change;
  unsigned_change.report[sev::report_layout::HostData::kOffset] ^= 1;
  EXPECT_FALSE(unsigned_change.Verify().genuine);
  Case other_root;
  other_root.roots.clear();
  EXPECT_FALSE(other_root.Verify().genuine);
}

}  // namespace
}  // namespace verifier
