// SPDX-License-Identifier: Apache-2.0
#include "verifier/conformance/judge.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "gtest/gtest.h"
#include "sev/cert_table.h"
#include "sev/guest_message.h"
#include "sev/report.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/ossl/ossl.h"
#include "verifier/testing/evidence_maker.h"

namespace verifier::conformance {
namespace {

using Blob = std::vector<uint8_t>;
using Files = std::map<std::string, Blob, std::less<>>;
using Names = std::vector<std::string>;

Blob Bytes(std::string_view text) { return Blob(text.begin(), text.end()); }

// One entry under the emulated root that makes the tests' evidence.
class Case {
 public:
  explicit Case(std::string kind) {
    entry_.id = "x";
    entry_.kind = std::move(kind);
    entry_.eval_time = time(nullptr);
    entry_.test_roots = true;
    root_ = testing::TestRoot();
  }

  Judgement Run(Files files) const {
    return Judge({.entry = entry_, .files = std::move(files)},
                 {.amd_roots = {},
                  .test_roots = {&root_, 1},
                  .signatures = &signatures_});
  }
  VectorEntry& entry() { return entry_; }
  SignatureIndex& signatures() { return signatures_; }

 private:
  VectorEntry entry_;
  AcceptedRoot root_;
  SignatureIndex signatures_;
};

Blob Report(uint8_t first_byte_of_data = 1) {
  Blob data(64);
  data[0] = first_byte_of_data;
  const auto report = testing::MakeReport(data);
  return Blob(report.begin(), report.end());
}

Files WithCertificates(Blob report) {
  const auto certificates = testing::GoodCertificates();
  return {{"report", std::move(report)},
          {"leaf", certificates.vcek},
          {"intermediate", certificates.ask},
          {"root", certificates.ark}};
}

TEST(Judge, Reports) {
  const Case one("report-synthetic");
  const Files good = WithCertificates(Report());
  EXPECT_EQ(one.Run(good).verdict, Verdict::kValid) << one.Run(good).note;

  Files changed = good;
  changed["report"][sev::report_layout::Measurement::kOffset] ^= 1;
  EXPECT_EQ(one.Run(changed).verdict, Verdict::kInvalid);
  EXPECT_EQ(one.Run(changed).failing_checks, Names{"report_signature"});

  // Each file in the place that it claims.
  Files swapped = good;
  std::swap(swapped["leaf"], swapped["intermediate"]);
  EXPECT_EQ(one.Run(swapped).verdict, Verdict::kInvalid);

  Case under_amd("report");
  under_amd.entry().test_roots = false;
  EXPECT_EQ(under_amd.Run(good).failing_checks, Names{"root_pinned"});
}

TEST(Judge, ReportWithoutCertificates) {
  Case one("report");
  const Blob report = Report();
  EXPECT_EQ(one.Run({{"report", report}}).verdict, Verdict::kUnverifiable);
  EXPECT_EQ(one.Run({{"report", Blob(793)}}).failing_checks,
            Names{"length_1184"});
  EXPECT_EQ(one.Run({}).verdict, Verdict::kInvalid);

  // The signature of a genuine report that says something else.
  one.signatures().Add(report);
  EXPECT_EQ(one.Run({{"report", report}}).verdict, Verdict::kUnverifiable);
  Blob changed = report;
  changed[sev::report_layout::ReportId::kOffset] ^= 1;
  EXPECT_EQ(one.Run({{"report", changed}}).verdict, Verdict::kInvalid);
  EXPECT_EQ(one.Run({{"report", changed}}).failing_checks,
            Names{"report_signature"});
  Blob other = changed;
  other[sev::report_layout::SignatureR::kOffset] ^= 1;
  EXPECT_EQ(one.Run({{"report", other}}).verdict, Verdict::kUnverifiable);
}

TEST(SignatureIndex, KnowsNothingOfUnsignedReports) {
  SignatureIndex index;
  Blob zero(sev::kReportSize);
  index.Add(zero);
  index.Add(Blob(10));
  zero[0] = 1;
  EXPECT_FALSE(index.BelongsToOtherBytes(zero));
  EXPECT_FALSE(index.BelongsToOtherBytes(Blob(10)));
}

TEST(Judge, Messages) {
  Case one("msg-report-rsp");
  const Blob report = Report();
  Blob message(sev::kReportResponseSize + 100);
  base::StoreLe<uint32_t>(sev::kReportSize,
                          std::span(message).subspan(4).first<4>());
  std::ranges::copy(report, message.begin() + 0x20);
  EXPECT_EQ(one.Run({{"msg", message}}).verdict, Verdict::kValid);
  one.entry().embedded_report = ossl::Sha256::Of(report);
  EXPECT_EQ(one.Run({{"msg", message}}).verdict, Verdict::kValid);
  one.entry().embedded_report->at(0) ^= 1;
  EXPECT_EQ(one.Run({{"msg", message}}).failing_checks,
            Names{"embedded_report"});
  one.entry().embedded_report.reset();
  message.back() = 1;
  EXPECT_EQ(one.Run({{"msg", message}}).failing_checks, Names{"wrapper"});
  message.back() = 0;
  message[0x20] = 1;  // version 1
  EXPECT_EQ(one.Run({{"msg", message}}).verdict, Verdict::kInvalid);
  EXPECT_EQ(one.Run({}).verdict, Verdict::kInvalid);
}

TEST(Judge, CertificateTables) {
  const Case one("cert-table");
  const auto certificates = testing::GoodCertificates();
  const Blob table = testing::PackTable(certificates);
  EXPECT_EQ(one.Run({{"table", table}}).verdict, Verdict::kValid);
  EXPECT_EQ(one.Run({{"table", table}, {"report", Report()}}).verdict,
            Verdict::kValid);
  Blob changed = Report();
  changed[sev::report_layout::HostData::kOffset] ^= 1;
  EXPECT_EQ(one.Run({{"table", table}, {"report", changed}}).failing_checks,
            Names{"report_signature"});

  // Two leaves: the report says which counts.
  const sev::CertTableEntry both[] = {{sev::kGuidVlek, certificates.ask},
                                      {sev::kGuidVcek, certificates.vcek}};
  Blob with_both(16 * 1024);
  const auto packed = sev::PackCertTable(both, with_both);
  ASSERT_TRUE(packed.ok());
  with_both.resize(*packed);
  Files two_leaves = WithCertificates(Report());
  two_leaves["table"] = with_both;
  EXPECT_EQ(one.Run(two_leaves).failing_checks, Names{});
  const auto by_vlek = testing::MakeReport(Blob(64), [](auto& bytes) {
    bytes[sev::report_layout::KeyInfo::kOffset] =
        1u << sev::kKeyInfoSigningKeyShift;
  });
  two_leaves["report"] = Blob(by_vlek.begin(), by_vlek.end());
  const Names wrong = one.Run(two_leaves).failing_checks;
  EXPECT_NE(std::ranges::find(wrong, "leaf_signed_by_intermediate"),
            wrong.end());

  EXPECT_EQ(one.Run({{"table", Blob(sev::kCertTableEntrySize)}}).verdict,
            Verdict::kValid);
  // The host gives the leaf only; the rest may be beside the table.
  const Blob leaf_only = testing::PackTable({.vcek = certificates.vcek});
  Files files = {{"table", leaf_only}, {"report", Report()}};
  EXPECT_EQ(one.Run(files).verdict, Verdict::kValid);
  files["intermediate"] = certificates.ask;
  files["root"] = certificates.ark;
  EXPECT_EQ(one.Run(files).note, "");
  files["report"] = changed;
  EXPECT_EQ(one.Run(files).failing_checks, Names{"report_signature"});

  EXPECT_EQ(one.Run({{"table", {}}}).verdict, Verdict::kInvalid);
  const Judgement cut =
      one.Run({{"table", Blob(table.begin(), table.end() - 1)}});
  EXPECT_EQ(cut.verdict, Verdict::kInvalid);
  // As people read it: no status code, no payload.
  EXPECT_TRUE(cut.note.starts_with("SV")) << cut.note;
  EXPECT_EQ(cut.note.find("forelock/"), std::string::npos) << cut.note;

  Blob unknown = table;  // every GUID turned around
  for (size_t i = 0; i < 3; ++i) {
    const auto guid = unknown.begin() + i * sev::kCertTableEntrySize;
    std::reverse(guid, guid + sizeof(sev::Guid));
  }
  EXPECT_EQ(one.Run({{"table", unknown}}).failing_checks, Names{"table"});

  const Blob junk = Bytes("not a certificate");
  for (const sev::Guid& guid : {sev::kGuidVcek, sev::kGuidVlek, sev::kGuidAsk,
                                sev::kGuidArk, sev::kGuidCrl}) {
    const sev::CertTableEntry entries[] = {{guid, junk}};
    Blob with_junk(100);
    const auto size = sev::PackCertTable(entries, with_junk);
    ASSERT_TRUE(size.ok());
    with_junk.resize(*size);
    EXPECT_EQ(one.Run({{"table", with_junk}}).failing_checks,
              Names{"certs_parse"});
  }
}

TEST(Judge, LeavesAndChains) {
  Case leaf("leaf-cert");
  Files files = WithCertificates({});
  EXPECT_EQ(leaf.Run(files).verdict, Verdict::kValid) << leaf.Run(files).note;
  Case chain("cert-chain");
  EXPECT_EQ(chain.Run(files).verdict, Verdict::kValid) << chain.Run(files).note;

  Files edited = files;
  edited["leaf"].back() ^= 1;
  EXPECT_EQ(leaf.Run(edited).failing_checks,
            Names{"leaf_signed_by_intermediate"});
  edited = files;
  edited["intermediate"].back() ^= 1;
  EXPECT_EQ(chain.Run(edited).failing_checks,
            Names{"intermediate_signed_by_root"});

  leaf.entry().eval_time = 0;
  const Names failing = leaf.Run(files).failing_checks;
  EXPECT_NE(std::ranges::find(failing, "leaf_in_validity_at_eval"),
            failing.end());
  Files without = files;
  without.erase("intermediate");
  EXPECT_EQ(chain.Run(without).verdict, Verdict::kUnverifiable);
}

TEST(Judge, RevocationListsThatAreNone) {
  const Case one("crl");
  const Files files = WithCertificates({});
  EXPECT_EQ(one.Run({{"crl", files.at("leaf")}, {"root", files.at("root")}})
                .failing_checks,
            Names{"certs_parse"});
  EXPECT_EQ(one.Run({}).verdict, Verdict::kInvalid);
}

TEST(Judge, UnknownKinds) {
  const Case one("weather-forecast");
  EXPECT_FALSE(IsKnownKind("weather-forecast", {}));
  EXPECT_EQ(one.Run({}).verdict, Verdict::kUnverifiable);
  EXPECT_EQ(one.Run({}).note, "unknown kind weather-forecast");
}

TEST(Judge, KindsOfTheCaller) {
  const KindJudge more[] = {
      {"weather-forecast",
       [](const LoadedVector& vector, const VectorContext&) {
         return Refuse("rain", vector.entry.id);
       }},
      // Those that are known already stay what they are.
      {"crl",
       [](const LoadedVector&, const VectorContext&) { return Conclude({}); }}};
  const VectorContext context = {.more_kinds = more};
  EXPECT_TRUE(IsKnownKind("weather-forecast", context));
  VectorEntry entry;
  entry.id = "monday";
  entry.kind = "weather-forecast";
  const Judgement judgement = Judge({.entry = entry}, context);
  EXPECT_EQ(judgement.failing_checks, Names{"rain"});
  EXPECT_EQ(judgement.note, "monday");
  entry.kind = "crl";
  EXPECT_EQ(Judge({.entry = entry}, context).verdict, Verdict::kInvalid);
}

}  // namespace
}  // namespace verifier::conformance
