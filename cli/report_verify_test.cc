// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "cli/describe_report.h"
#include "cli/report_commands.h"
#include "cli/testing/command_runner.h"
#include "cli/testing/emulated_reports.h"
#include "gtest/gtest.h"
#include "psp/certificates.h"
#include "sev/cert_table.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using psp::Hierarchy;
using psp::TestHierarchy;
using testing::EmulatedReport;
using testing::Output;
using testing::ReportBytes;

namespace layout = sev::report_layout;

using Words = std::vector<std::string>;

class ReportVerify : public ::testing::Test {
 protected:
  Output Verify(base::Bytes report, Words more) const {
    Words words = {"report", "verify", folder_.Write("report.bin", report)};
    words.insert(words.end(), more.begin(), more.end());
    return testing::RunCommand(ReportCommands(), words);
  }
  // With the hierarchy's root, as JSON with "exit" in it.
  Json VerifyJson(const Hierarchy& hierarchy, base::Bytes report,
                  Words more) const {
    more.insert(more.end(),
                {"--json", "--root-sha256", testing::RootPin(hierarchy)});
    const Output output = Verify(report, more);
    Json json = Json::parse(output.out, nullptr, false);
    EXPECT_TRUE(json.is_object()) << output.out << output.err;
    json["exit"] = output.code;
    json["notes"] = output.err;
    return json;
  }
  // Options for all of the VCEK's chain, in files.
  Words Files(const Hierarchy& hierarchy) const {
    const std::string line(hierarchy.model().line);
    return {"--certificates", folder_.Write(line + "-vcek", hierarchy.vcek()),
            "--certificates", folder_.Write(line + "-ask", hierarchy.ask()),
            "--certificates", folder_.Write(line + "-ark", hierarchy.ark())};
  }
  static Words Join(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  testing::ScratchFolder folder_;
};

std::vector<uint8_t> Table(const std::vector<sev::CertTableEntry>& entries) {
  std::vector<uint8_t> table(16 * 1024);
  const auto size = sev::PackCertTable(entries, table);
  EXPECT_TRUE(size.ok());
  if (size.ok()) table.resize(*size);
  return table;
}

void ExpectVerdict(const Json& json, std::string_view verdict, int exit,
                   const Words& failing) {
  EXPECT_EQ(json["verdict"], verdict) << ToText(json);
  EXPECT_EQ(json["exit"], exit);
  for (const std::string& check : failing) {
    const auto& all = json["failing_checks"];
    EXPECT_TRUE(std::ranges::find(all, Json(check)) != all.end())
        << check << " in " << ToText(all);
    EXPECT_EQ(json["checks"][check], false);
  }
  if (failing.empty()) {
    EXPECT_TRUE(json["failing_checks"].empty()) << ToText(json);
  }
  EXPECT_EQ(json["reasons"].empty(), verdict == "valid");
  for (const Json& reason : json["reasons"]) {
    EXPECT_FALSE(reason["text"].get<std::string>().empty());
  }
}

TEST_F(ReportVerify, EveryProductAndKey) {
  for (const psp::ChipModel* model : psp::kChipModels) {
    const Hierarchy& hierarchy = TestHierarchy(*model);
    const Json json =
        VerifyJson(hierarchy, EmulatedReport(hierarchy), Files(hierarchy));
    ExpectVerdict(json, "valid", hosted::kExitOk, {});
    EXPECT_EQ(json["product"], model->line);
    EXPECT_EQ(json["root"]["amd"], false);
    EXPECT_EQ(json["leaf"]["kind"], "VCEK");
  }
  const Hierarchy& vlek = TestHierarchy(psp::kMilan, /*vlek=*/true);
  // All of them in one file.
  std::vector<uint8_t> chain = vlek.vlek();
  chain.insert(chain.end(), vlek.asvk().begin(), vlek.asvk().end());
  chain.insert(chain.end(), vlek.ark().begin(), vlek.ark().end());
  const Json json =
      VerifyJson(vlek, EmulatedReport(vlek, 3, sev::SigningKey::kVlek),
                 {"--certificates", folder_.Write("chain", chain), "--crl",
                  folder_.Write("crl", vlek.crl()), "--require-crl"});
  ExpectVerdict(json, "valid", hosted::kExitOk, {});
  EXPECT_EQ(json["leaf"]["csp_id"], psp::kTestCspId);
  EXPECT_EQ(json["crl_checked"], true);
}

TEST_F(ReportVerify, SaysWhatIsWrong) {
  const Hierarchy& milan = TestHierarchy();
  const ReportBytes good = EmulatedReport(milan);
  ReportBytes changed = good;
  changed[layout::Measurement::kOffset] ^= 1;
  ExpectVerdict(VerifyJson(milan, changed, Files(milan)), "invalid",
                hosted::kExitInvalid, {"report_signature"});
  ExpectVerdict(VerifyJson(milan, base::Bytes(good).first(9), Files(milan)),
                "invalid", hosted::kExitInvalid, {"length_1184"});
  ExpectVerdict(VerifyJson(milan, good, Join(Files(milan), {"--require-crl"})),
                "invalid", hosted::kExitInvalid, {"crl_current"});
  ExpectVerdict(VerifyJson(milan, good,
                           Join(Files(milan), {"--at=2001-01-01T00:00:00Z"})),
                "invalid", hosted::kExitInvalid,
                {"leaf_in_validity", "root_in_validity"});
  // Without --root-sha256 only AMD's roots count.
  const Output amd = Verify(good, Files(milan));
  EXPECT_EQ(amd.code, hosted::kExitInvalid);
  EXPECT_TRUE(absl::StrContains(amd.out, "root_pinned")) << amd.out;
}

// Whatever else is there: what the user names and is no good counts.
TEST_F(ReportVerify, NoUselessFileIsPassedOver) {
  const Hierarchy& milan = TestHierarchy();
  const Hierarchy& genoa = TestHierarchy(psp::kGenoa);
  const ReportBytes report = EmulatedReport(milan);
  const Words all =
      Join(Files(milan), {"--crl", folder_.Write("crl", milan.crl())});
  ExpectVerdict(VerifyJson(milan, report, all), "valid", hosted::kExitOk, {});
  const struct {
    const char* name;
    std::vector<uint8_t> bytes;
    const char* code;
  } useless[] = {
      {"junk", {1, 2, 3}, "VE4"},
      {"second-vcek", {genoa.vcek().begin(), genoa.vcek().end()}, "VE39"},
  };
  for (const auto& [name, bytes, code] : useless) {
    const Json json =
        VerifyJson(milan, report,
                   Join(all, {"--certificates", folder_.Write(name, bytes)}));
    ExpectVerdict(json, "invalid", hosted::kExitInvalid, {"certs_parse"});
    EXPECT_EQ(json["reasons"][0]["code"], code);
    EXPECT_TRUE(absl::StrContains(
        json["reasons"][0]["detail"].get<std::string>(), name));
  }
  // A further authority is not needed, and said to be so.
  const Json json = VerifyJson(
      milan, report,
      Join(all, {"--certificates", folder_.Write("asks", genoa.ask())}));
  ExpectVerdict(json, "valid", hosted::kExitOk, {});
  EXPECT_TRUE(absl::StrContains(json["notes"].get<std::string>(),
                                "SEV-Genoa is not used"));
}

TEST_F(ReportVerify, ACrlFileMustHoldAList) {
  const Hierarchy& milan = TestHierarchy();
  const Output output =
      Verify(EmulatedReport(milan),
             Join(Files(milan), {"--crl", folder_.Write("ask", milan.ask())}));
  EXPECT_EQ(output.code, hosted::kExitFailed);
  EXPECT_TRUE(absl::StrContains(output.err, "no revocation list"));
}

TEST_F(ReportVerify, JudgesEveryFileThatIsNamed) {
  const Hierarchy& milan = TestHierarchy();
  const Hierarchy& genoa = TestHierarchy(psp::kGenoa);
  const ReportBytes report = EmulatedReport(milan);
  const Words vcek = {"--certificates", folder_.Write("vcek", milan.vcek())};
  // Of another product: it does not fit, so it is not left out.
  ExpectVerdict(
      VerifyJson(
          milan, report,
          Join(vcek, {"--certificates", folder_.Write("ask", genoa.ask()),
                      "--certificates", folder_.Write("ark", genoa.ark())})),
      "invalid", hosted::kExitInvalid, {"leaf_signed_by_intermediate"});
  ExpectVerdict(VerifyJson(milan, report,
                           Join(Files(milan),
                                {"--crl", folder_.Write("crl", genoa.crl())})),
                "invalid", hosted::kExitInvalid, {"crl_signed_by_root"});
  std::vector<uint8_t> broken = milan.vcek();
  broken.resize(broken.size() - 1);
  ExpectVerdict(
      VerifyJson(milan, report,
                 {"--certificates", folder_.Write("broken", broken),
                  "--certificates", folder_.Write("ask", milan.ask()),
                  "--certificates", folder_.Write("ark", milan.ark())}),
      "invalid", hosted::kExitInvalid, {"certs_parse"});
}

TEST_F(ReportVerify, SlotsOfATableArePlaces) {
  const Hierarchy& milan = TestHierarchy(psp::kMilan, /*vlek=*/true);
  const Hierarchy& genoa = TestHierarchy(psp::kGenoa);
  const ReportBytes by_vcek = EmulatedReport(milan);
  const auto verify = [&](base::Bytes report,
                          const std::vector<sev::CertTableEntry>& entries,
                          const Words& more = {}) {
    return VerifyJson(
        milan, report,
        Join({"--certificates", folder_.Write("table", Table(entries))}, more));
  };
  const sev::CertTableEntry vcek = {sev::kGuidVcek, milan.vcek()};
  const sev::CertTableEntry ask = {sev::kGuidAsk, milan.ask()};
  const sev::CertTableEntry ark = {sev::kGuidArk, milan.ark()};
  const sev::CertTableEntry crl = {sev::kGuidCrl, milan.crl()};
  ExpectVerdict(verify(by_vcek, {vcek, ask, ark, crl}, {"--require-crl"}),
                "valid", hosted::kExitOk, {});

  // Both leaves: the report's key says which.
  const sev::CertTableEntry vlek = {sev::kGuidVlek, milan.vlek()};
  ExpectVerdict(verify(by_vcek, {vlek, vcek, ask, ark}), "valid",
                hosted::kExitOk, {});
  ExpectVerdict(verify(EmulatedReport(milan, 3, sev::SigningKey::kVlek),
                       {vcek, vlek, {sev::kGuidAsk, milan.asvk()}, ark}),
                "valid", hosted::kExitOk, {});

  // What does not fit is not left out.
  const auto forged =
      psp::MakeCrl(psp::GoodCrlSpec(psp::kMilan, milan.ask_key()));
  ASSERT_TRUE(forged.ok()) << forged.status();
  ExpectVerdict(verify(by_vcek, {vcek, ask, ark, {sev::kGuidCrl, *forged}}),
                "invalid", hosted::kExitInvalid, {"crl_signed_by_root"});
  ExpectVerdict(verify(by_vcek, {vcek, ask, ark, {sev::kGuidCrl, genoa.crl()}}),
                "invalid", hosted::kExitInvalid, {"crl_signed_by_root"});
  EXPECT_EQ(verify(by_vcek, {vcek,
                             {sev::kGuidAsk, milan.ark()},
                             {sev::kGuidArk, milan.ask()}})["exit"],
            hosted::kExitInvalid);
  EXPECT_EQ(verify(by_vcek, {vcek, ask, {sev::kGuidArk, genoa.ark()}})["exit"],
            hosted::kExitInvalid);
  EXPECT_EQ(verify(by_vcek, {{sev::kGuidVcek, milan.ask()}, ask, ark})["exit"],
            hosted::kExitInvalid);
  const std::vector<uint8_t> junk(10, 1);
  ExpectVerdict(verify(by_vcek, {vcek, ask, ark, {sev::kGuidCrl, junk}}),
                "invalid", hosted::kExitInvalid, {"certs_parse"});

  // Another file fills the place, a table or not.
  const Words files = {"--certificates", folder_.Write("ask", milan.ask())};
  ExpectVerdict(verify(by_vcek, {vcek, ark}, files), "valid", hosted::kExitOk,
                {});
  ExpectVerdict(
      verify(by_vcek, {vcek, {sev::kGuidAsk, genoa.ask()}, ark}, files),
      "valid", hosted::kExitOk, {});
  ExpectVerdict(
      verify(by_vcek, {vcek},
             {"--certificates", folder_.Write("second", Table({ask, ark})),
              "--crl", folder_.Write("crl", milan.crl()), "--require-crl"}),
      "valid", hosted::kExitOk, {});
}

TEST_F(ReportVerify, DamagedTablesAreRefused) {
  const Hierarchy& milan = TestHierarchy();
  const std::vector<uint8_t> table = Table({{sev::kGuidVcek, milan.vcek()}});
  const std::string cut =
      folder_.Write("table", base::Bytes(table).first(table.size() - 1));
  ExpectVerdict(
      VerifyJson(milan, EmulatedReport(milan), {"--certificates", cut}),
      "invalid", hosted::kExitInvalid, {"certs_parse"});
}

TEST_F(ReportVerify, WithoutCertificatesThereIsNoVerdict) {
  const Hierarchy& milan = TestHierarchy();
  const ReportBytes report = EmulatedReport(milan);
  ExpectVerdict(VerifyJson(milan, report, {}), "unverifiable",
                hosted::kExitUnverifiable, {});
  ExpectVerdict(
      VerifyJson(milan, report,
                 {"--certificates", folder_.Write("vcek", milan.vcek())}),
      "unverifiable", hosted::kExitUnverifiable, {});
  const Output text = Verify(report, {});
  EXPECT_EQ(text.code, hosted::kExitUnverifiable);
  EXPECT_TRUE(absl::StrContains(text.out, "unverifiable")) << text.out;
  EXPECT_TRUE(absl::StrContains(text.out, "VE1 ")) << text.out;
}

TEST_F(ReportVerify, NewerVersionsNeedAWord) {
  const Hierarchy& milan = TestHierarchy();
  const ReportBytes report = EmulatedReport(
      milan, 3, sev::SigningKey::kVcek,
      [](ReportBytes& bytes) { bytes[layout::Version::kOffset] = 9; });
  ExpectVerdict(VerifyJson(milan, report, Files(milan)), "invalid",
                hosted::kExitInvalid, {"version_supported"});
  ExpectVerdict(
      VerifyJson(milan, report, Join(Files(milan), {"--allow-newer-version"})),
      "unverifiable", hosted::kExitUnverifiable, {});
}

TEST_F(ReportVerify, ComparesReportData) {
  const Hierarchy& milan = TestHierarchy();
  const ReportBytes report =
      EmulatedReport(milan, 3, sev::SigningKey::kVcek, [](ReportBytes& bytes) {
        std::fill_n(bytes.begin() + layout::ReportData::kOffset + 2, 62, 0);
      });
  const auto with = [&](const std::string& hex) {
    return Join(Files(milan), {"--report-data", hex});
  };
  ExpectVerdict(VerifyJson(milan, report, with("2222")), "valid",
                hosted::kExitOk, {});
  ExpectVerdict(VerifyJson(milan, report, with("2222" + std::string(124, '0'))),
                "valid", hosted::kExitOk, {});
  for (const char* hex : {"22", "2223", "222200FF"}) {
    const Json json = VerifyJson(milan, report, with(hex));
    ExpectVerdict(json, "invalid", hosted::kExitInvalid, {"report_data"});
    EXPECT_EQ(json["reasons"][0]["code"], "CL6");
  }
  for (const std::string& hex : {std::string(), std::string("2"),
                                 std::string("zz"), std::string(130, '0')}) {
    EXPECT_EQ(Verify(report, with(hex)).code, hosted::kExitUsage) << hex;
  }
}

// A report in the blob of an Azure vTPM.
std::vector<uint8_t> HclBlob(base::Bytes report, std::string_view runtime) {
  std::vector<uint8_t> blob;
  const auto word = [&](size_t value) {
    for (int i = 0; i < 4; ++i) {
      blob.push_back(static_cast<uint8_t>(value >> (8 * i)));
    }
  };
  blob.assign({'H', 'C', 'L', 'A'});
  word(2);                                           // Version.
  word(0x20 + report.size() + 20 + runtime.size());  // All of it.
  blob.resize(0x20);
  blob.insert(blob.end(), report.begin(), report.end());
  word(20 + runtime.size());
  word(1);  // Version.
  word(2);  // SEV-SNP.
  word(1);  // SHA-256.
  word(runtime.size());
  blob.insert(blob.end(), runtime.begin(), runtime.end());
  return blob;
}

TEST_F(ReportVerify, RuntimeDataMustBeBound) {
  constexpr std::string_view kRuntime = R"({"keys":[]})";
  const Hierarchy& milan = TestHierarchy();
  const auto digest = verifier::ossl::Sha256::Of(base::AsBytes(kRuntime));
  const ReportBytes report =
      EmulatedReport(milan, 3, sev::SigningKey::kVcek, [&](ReportBytes& bytes) {
        const auto data = bytes.begin() + layout::ReportData::kOffset;
        std::fill_n(data, layout::ReportData::kSize, 0);
        std::copy(digest.begin(), digest.end(), data);
      });
  const Words words = Join(Files(milan), {"--wrapped=azure-hcl"});
  const std::vector<uint8_t> bound = HclBlob(report, kRuntime);
  Json json = VerifyJson(milan, bound, words);
  ExpectVerdict(json, "valid", hosted::kExitOk, {});
  EXPECT_EQ(json["checks"]["runtime_data_bound"], true);
  const std::vector<uint8_t> other = HclBlob(report, R"({"keys":[1]})");
  json = VerifyJson(milan, other, words);
  ExpectVerdict(json, "invalid", hosted::kExitInvalid, {"runtime_data_bound"});
  EXPECT_EQ(json["reasons"][0]["code"], "CL7");
  // Also where nothing else is known.
  const Output text = Verify(other, {"--wrapped=azure-hcl"});
  EXPECT_EQ(text.code, hosted::kExitInvalid) << text.out;
  EXPECT_TRUE(absl::StrContains(text.out, "runtime data")) << text.out;
  EXPECT_TRUE(absl::StrContains(text.out, "CL7 ")) << text.out;
}

TEST_F(ReportVerify, ShowsATcbAboveTheCurrent) {
  const Hierarchy& milan = TestHierarchy();
  const ReportBytes report = EmulatedReport(
      milan, 3, sev::SigningKey::kVcek,
      [](ReportBytes& bytes) { bytes[layout::CurrentTcb::kOffset + 6] = 1; });
  ExpectVerdict(VerifyJson(milan, report, Files(milan)), "invalid",
                hosted::kExitInvalid, {"tcb_not_above_current"});
  const Output text = Verify(
      report, Join(Files(milan), {"--root-sha256", testing::RootPin(milan)}));
  EXPECT_EQ(text.code, hosted::kExitInvalid);
  EXPECT_TRUE(absl::StrContains(text.out, "FAILED: tcb_not_above_current"))
      << text.out;
  EXPECT_TRUE(absl::StrContains(text.out, "reported snp 24, current 1"))
      << text.out;
}

// Report and certificates in one file, as go-sev-guest writes them.
TEST_F(ReportVerify, TakesAReportWithItsTable) {
  const Hierarchy& milan = TestHierarchy();
  const ReportBytes report = EmulatedReport(milan);
  const auto with = [&](base::Bytes vcek, base::Bytes ark) {
    const sev::CertTableEntry entries[] = {{sev::kGuidVcek, vcek},
                                           {sev::kGuidAsk, milan.ask()},
                                           {sev::kGuidArk, ark}};
    std::vector<uint8_t> file(report.begin(), report.end());
    file.resize(file.size() + 16384);
    const auto size =
        sev::PackCertTable(entries, std::span(file).subspan(report.size()));
    EXPECT_TRUE(size.ok());
    file.resize(report.size() + *size);
    return file;
  };
  const Words words = {"--wrapped", "report-then-table"};
  ExpectVerdict(VerifyJson(milan, with(milan.vcek(), milan.ark()), words),
                "valid", hosted::kExitOk, {});
  // A table's slots are places: what is in them is judged there.
  ExpectVerdict(VerifyJson(milan, with(milan.ark(), milan.ark()), words),
                "invalid", hosted::kExitInvalid,
                {"leaf_type_matches_signing_key"});
  // What is not in the table comes from elsewhere.
  ExpectVerdict(VerifyJson(milan, with({}, milan.ark()), words), "unverifiable",
                hosted::kExitUnverifiable, {});
  ExpectVerdict(
      VerifyJson(milan, with({}, milan.ark()), Join(words, Files(milan))),
      "valid", hosted::kExitOk, {});
  // Without the option it is no report, and that is said.
  const Output bare = Verify(with(milan.vcek(), milan.ark()), {});
  EXPECT_EQ(bare.code, hosted::kExitInvalid);
  EXPECT_TRUE(absl::StrContains(bare.err, "--wrapped report-then-table"))
      << bare.err;
  EXPECT_EQ(Verify(report, words).code, hosted::kExitFailed);
}

TEST_F(ReportVerify, ValuesOfNoUseAreWrongUsage) {
  const ReportBytes report = EmulatedReport(TestHierarchy());
  EXPECT_EQ(Verify(report, {"--at", "yesterday"}).code, hosted::kExitUsage);
  EXPECT_EQ(Verify(report, {"--root-sha256", "abc"}).code, hosted::kExitUsage);
  EXPECT_EQ(Verify(report, {"--certificates", "/nowhere"}).code,
            hosted::kExitFailed);
  EXPECT_EQ(Verify(report, {"--kds", "ftp://kds.example"}).code,
            hosted::kExitFailed);
  EXPECT_EQ(Verify(report, {"--at", "2026-09-15T02:00:00+02:00"}).code,
            hosted::kExitUnverifiable);
}

TEST_F(ReportVerify, TakesFromAFolderWhatFits) {
  const Hierarchy& milan = TestHierarchy();
  const Hierarchy& genoa = TestHierarchy(psp::kGenoa);
  for (const Hierarchy* each : {&milan, &genoa}) {
    const std::string line(each->model().line);
    folder_.Write("store/" + line + "/1.der", each->ark());
    folder_.Write("store/" + line + "/2.der", each->ask());
    folder_.Write("store/" + line + "/3.pem", each->crl());
    folder_.Write("store/" + line + ".der", each->vcek());
  }
  folder_.Write("store/notes.der", base::AsBytes("no certificate"));
  folder_.Write("store/README", base::AsBytes("no certificate"));
  for (const Hierarchy* each : {&milan, &genoa}) {
    const Json json =
        VerifyJson(*each, EmulatedReport(*each),
                   {"--certificates", folder_.Path("store"), "--require-crl"});
    ExpectVerdict(json, "valid", hosted::kExitOk, {});
    EXPECT_TRUE(absl::StrContains(json["notes"].get<std::string>(), "CL5 "))
        << json["notes"];
  }
}

}  // namespace
}  // namespace cli
