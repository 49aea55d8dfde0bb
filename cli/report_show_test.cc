// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

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
#include "sev/cert_table.h"
#include "sev/guest_message.h"
#include "sev/report.h"

namespace cli {
namespace {

using testing::EmulatedReport;
using testing::Output;
using testing::ReportBytes;

namespace layout = sev::report_layout;

class ReportShow : public ::testing::Test {
 protected:
  Output Show(base::Bytes bytes, std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"report", "show",
                                      folder_.Write("report.bin", bytes)};
    words.insert(words.end(), more.begin(), more.end());
    return testing::RunCommand(ReportCommands(), words);
  }
  Json ShowJson(base::Bytes bytes, std::vector<std::string> more = {}) const {
    more.push_back("--json");
    const Output output = Show(bytes, more);
    EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
    return Json::parse(output.out, nullptr, /*allow_exceptions=*/false);
  }

  testing::ScratchFolder folder_;
};

TEST_F(ReportShow, NamesFieldsOfEveryVersion) {
  const auto& milan = psp::TestHierarchy();
  for (uint32_t version = 2; version <= 5; ++version) {
    const ReportBytes report = EmulatedReport(milan, version);
    const Json json = ShowJson(report);
    EXPECT_EQ(json["version"], version);
    EXPECT_EQ(json["newer_than_known"], false);
    EXPECT_EQ(json["policy"]["smt"], true);
    EXPECT_EQ(json["policy"]["debug"], false);
    EXPECT_EQ(json["reported_tcb"]["snp"], milan.model().tcb.snp);
    EXPECT_EQ(json["reported_tcb"]["microcode"], milan.model().tcb.microcode);
    EXPECT_FALSE(json["reported_tcb"].contains("fmc"));
    EXPECT_EQ(json["cpuid"].is_null(), version == 2);
    EXPECT_EQ(json["launch_mitigations"].is_null(), version < 5);
    EXPECT_EQ(json["key_info"]["signing_key"], "VCEK");
    EXPECT_EQ(json["chip_id"], verifier::ossl::Hex(milan.chip_id()));
    EXPECT_TRUE(json["faults"].empty());

    const Output table = Show(report);
    EXPECT_EQ(table.code, hosted::kExitOk);
    for (const auto& [key, value] : json.items()) {
      EXPECT_TRUE(absl::StrContains(table.out, key)) << key;
    }
    EXPECT_TRUE(absl::StrContains(table.out, "Not verified"));
  }
}

TEST_F(ReportShow, TakesTcbsApartPerProduct) {
  const auto& turin = psp::TestHierarchy(psp::kTurin);
  const Json json = ShowJson(EmulatedReport(turin, 5));
  EXPECT_EQ(json["cpuid"]["part"], "Turin");
  EXPECT_EQ(json["reported_tcb"]["fmc"], turin.model().tcb.fmc);
  EXPECT_EQ(json["reported_tcb"]["snp"], turin.model().tcb.snp);
  EXPECT_EQ(json["platform_info"]["iommu_write_safe"], true);

  // Version 2 does not say; a processor that nobody knows has raw values only.
  const ReportBytes old = EmulatedReport(turin, 2);
  EXPECT_FALSE(ShowJson(old)["reported_tcb"].contains("fmc"));
  EXPECT_EQ(ShowJson(old, {"--product", "turin"})["reported_tcb"]["fmc"],
            turin.model().tcb.fmc);
  const ReportBytes unknown = EmulatedReport(
      turin, 3, sev::SigningKey::kVcek,
      [](ReportBytes& bytes) { bytes[layout::Cpuid::kOffset] = 0x7F; });
  const Json raw = ShowJson(unknown);
  EXPECT_EQ(raw["cpuid"]["part"], "unknown");
  EXPECT_EQ(raw["reported_tcb"].size(), 1u);
}

TEST_F(ReportShow, NamesATcbAboveTheCurrent) {
  const auto lower = [](size_t byte) {
    return [byte](ReportBytes& bytes) {
      bytes[layout::CurrentTcb::kOffset + byte] = 0;
    };
  };
  const Json above = Json({"tcb_not_above_current"});
  const auto& turin = psp::TestHierarchy(psp::kTurin);
  const auto key = sev::SigningKey::kVcek;
  EXPECT_EQ(ShowJson(EmulatedReport(psp::TestHierarchy(), 3, key,
                                    lower(6)))["faults"],
            above);
  EXPECT_EQ(ShowJson(EmulatedReport(turin, 3, key, lower(0)))["faults"], above);
  // Version 2 of a Turin: as a Milan's if nobody says what it is.
  const ReportBytes old = EmulatedReport(turin, 2, key, lower(3));
  EXPECT_EQ(ShowJson(old)["faults"], Json::array());
  EXPECT_EQ(ShowJson(old, {"--product", "turin"})["faults"], above);
}

TEST_F(ReportShow, ShowsWhatItDoesNotKnow) {
  const ReportBytes report = EmulatedReport(
      psp::TestHierarchy(), 3, sev::SigningKey::kVcek, [](ReportBytes& bytes) {
        bytes[layout::Version::kOffset] = 6;
        bytes[layout::Policy::kOffset + 7] = 0x80;        // bit 63
        bytes[layout::PlatformInfo::kOffset + 1] = 0x03;  // bits 8, 9
        bytes[layout::KeyInfo::kOffset + 1] = 0x01;       // bit 8
      });
  const Json json = ShowJson(report);
  EXPECT_EQ(json["newer_than_known"], true);
  EXPECT_EQ(json["policy"]["unknown_bits"], Json({63}));
  EXPECT_EQ(json["platform_info"]["unknown_bits"], Json({8, 9}));
  EXPECT_EQ(json["key_info"]["unknown_bits"], Json({8}));
  EXPECT_EQ(json["faults"][0], "version_supported");
  const Output table = Show(report);
  EXPECT_TRUE(absl::StrContains(table.out, "newer than I know")) << table.out;
}

TEST_F(ReportShow, OpensEnvelopes) {
  const ReportBytes report = EmulatedReport(psp::TestHierarchy());
  std::vector<uint8_t> response(sev::kReportResponseSize);
  base::StoreLe<uint32_t>(sev::kReportSize,
                          std::span(response).subspan<4, 4>());
  std::ranges::copy(report, response.begin() + 0x20);
  const std::vector<std::string> wrapped = {"--wrapped", "msg-report-rsp"};
  EXPECT_EQ(ShowJson(response, wrapped)["version"], 3);
  EXPECT_EQ(Show(report, wrapped).code, hosted::kExitFailed);
  EXPECT_EQ(Show(response).code, hosted::kExitFailed);
  EXPECT_EQ(Show(report, {"--wrapped", "paper"}).code, hosted::kExitUsage);
  EXPECT_EQ(Show(report, {"--product", "rome"}).code, hosted::kExitUsage);
  EXPECT_EQ(Show(report, {"--wrapped=azure-hcl"}).code, hosted::kExitFailed);

  std::vector<uint8_t> with_table(report.begin(), report.end());
  with_table.resize(with_table.size() + sev::kCertTableEntrySize);
  const std::vector<std::string> table = {"--wrapped", "report-then-table"};
  EXPECT_EQ(ShowJson(with_table, table)["version"], 3);
  EXPECT_EQ(Show(report, table).code, hosted::kExitFailed);
}

TEST_F(ReportShow, SaysWhatAFileSeemsToBe) {
  const ReportBytes report = EmulatedReport(psp::TestHierarchy());
  const Output hex = Show(base::AsBytes(verifier::ossl::Hex(report)));
  EXPECT_EQ(hex.code, hosted::kExitFailed);
  EXPECT_TRUE(absl::StrContains(hex.err, "CL4 ")) << hex.err;
  EXPECT_TRUE(absl::StrContains(hex.err, "2368 bytes, hex text")) << hex.err;
  const Output response = Show(std::vector<uint8_t>(4000, 0xA5));
  EXPECT_TRUE(absl::StrContains(response.err, "--wrapped msg-report-rsp"))
      << response.err;
  // Of what nothing is known, only the size is said.
  const Output cut = Show(base::Bytes(report).first(1183));
  EXPECT_TRUE(absl::StrContains(cut.err, "1183 bytes\n")) << cut.err;
}

// Whatever the bytes are: a table, or a reason.
TEST_F(ReportShow, TakesAnyBytes) {
  const ReportBytes good = EmulatedReport(psp::TestHierarchy(), 5);
  for (const size_t size : {size_t{0}, size_t{1}, good.size() - 1}) {
    const Output output = Show(base::Bytes(good).first(size));
    EXPECT_EQ(output.code, hosted::kExitFailed);
    EXPECT_TRUE(absl::StrContains(output.err, "CL4 ")) << output.err;
  }
  std::vector<uint8_t> longer(good.begin(), good.end());
  longer.push_back(0);
  EXPECT_EQ(Show(longer).code, hosted::kExitFailed);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    ReportBytes bytes = good;
    bytes[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const auto report = sev::UnverifiedReport::FromBytes(bytes);
    ASSERT_TRUE(report.ok());
    const Json json = DescribeReport(*report, std::nullopt);
    EXPECT_NE(json, DescribeReport(*sev::UnverifiedReport::FromBytes(good),
                                   std::nullopt))
        << "bit " << bit << " is not shown";
    for (const char c : ReportTable(json)) {
      ASSERT_TRUE((c >= 0x20 && c < 0x7F) || c == '\n');
    }
  }
}

TEST_F(ReportShow, ReadsStandardInput) {
  const std::string path =
      folder_.Write("report.bin", EmulatedReport(psp::TestHierarchy()));
  const int file = open(path.c_str(), O_RDONLY);
  ASSERT_GE(file, 0);
  ASSERT_EQ(dup2(file, STDIN_FILENO), STDIN_FILENO);
  close(file);
  const Output output =
      testing::RunCommand(ReportCommands(), {"report", "show", "-"});
  EXPECT_EQ(output.code, hosted::kExitOk) << output.err;
  EXPECT_TRUE(absl::StrContains(output.out, "measurement"));
}

TEST_F(ReportShow, SaysThatThereIsNoFile) {
  const Output output =
      testing::RunCommand(ReportCommands(), {"report", "show", "/nowhere"});
  EXPECT_EQ(output.code, hosted::kExitFailed);
  EXPECT_TRUE(absl::StrContains(output.err, "CL1 ")) << output.err;
}

}  // namespace
}  // namespace cli
