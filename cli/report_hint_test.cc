// SPDX-License-Identifier: Apache-2.0
#include "cli/report_hint.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "gtest/gtest.h"
#include "sev/report.h"

namespace cli {
namespace {

std::string Hint(std::string_view file) {
  return ReportHint(base::AsBytes(file));
}

// Bytes that give every character of both kinds of base64.
std::string Report() {
  std::string report(sev::kReportSize, '\0');
  for (size_t i = 0; i < report.size(); ++i) {
    report[i] = static_cast<char>(i * 7);
  }
  return report;
}

// As tools print it: lines of 64 characters.
std::string InLines(const std::string& text) {
  std::string lines;
  for (size_t at = 0; at < text.size(); at += 64) {
    absl::StrAppend(&lines, text.substr(at, 64), "\r\n");
  }
  return lines;
}

TEST(ReportHint, NamesTextThatHoldsAReport) {
  const std::string report = Report();
  const std::string hex = absl::BytesToHexString(report);
  for (const std::string& text : {hex, absl::AsciiStrToUpper(hex), InLines(hex),
                                  absl::StrCat("  ", hex)}) {
    EXPECT_TRUE(Hint(text).starts_with("hex text: `xxd -r -p`")) << text;
  }
  const std::string base64 = absl::Base64Escape(report);
  for (const std::string& text : {base64, InLines(base64)}) {
    EXPECT_TRUE(Hint(text).starts_with("base64 text: `base64 -d`")) << text;
  }
  const std::string url = absl::WebSafeBase64Escape(report);
  EXPECT_TRUE(Hint(url).starts_with("base64url text")) << url;
  // Too short to hold one.
  EXPECT_EQ(Hint(hex.substr(0, hex.size() / 2)), "a text file");
  EXPECT_EQ(Hint("deadbeef"), "a text file");
}

TEST(ReportHint, NamesTheEnvelope) {
  EXPECT_EQ(Hint(std::string(4000, '\xA5')),
            "a MSG_REPORT_RSP, by its size: try --wrapped msg-report-rsp");
  std::string response(0x20 + sev::kReportSize, '\0');
  response[4] = '\xA0';
  response[5] = '\x04';
  EXPECT_EQ(Hint(response), "a MSG_REPORT_RSP: try --wrapped msg-report-rsp");
  // What follows is the end of a table without certificates.
  EXPECT_EQ(Hint(Report() + std::string(24, '\0')),
            "a report and its certificate table: try --wrapped "
            "report-then-table");
  EXPECT_EQ(Hint("HCLA\x02" + Report()),
            "an Azure vTPM's blob: try --wrapped azure-hcl");
}

TEST(ReportHint, NamesOtherFiles) {
  EXPECT_EQ(Hint("\x1F\x8B\x08" + Report()), "a gzip file: unpack it");
  EXPECT_EQ(Hint(R"({"report": "AgAAAA"})"), "a text file");
  EXPECT_EQ(Hint(std::string(2048, '\0')), "zeros");
  EXPECT_EQ(Hint(""), "empty");
  EXPECT_EQ(Hint(std::string(100, '\xA5')), "");
  EXPECT_EQ(Hint("\x02" + Report()), "");
}

}  // namespace
}  // namespace cli
