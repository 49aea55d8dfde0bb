// SPDX-License-Identifier: Apache-2.0
#include "cli/report_hint.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/strings/ascii.h"
#include "cli/file_kind.h"
#include "sev/report.h"
#include "verifier/evidence/wrapped_report.h"

namespace cli {
namespace {

// White space stands anywhere. At least as many characters as a report needs
// in that text: a short one is something else.
template <typename IsDigit>
bool IsTextOf(base::Bytes file, size_t least, IsDigit is_digit) {
  size_t digits = 0;
  for (const uint8_t c : file) {
    if (absl::ascii_isspace(c)) continue;
    if (!is_digit(c)) return false;
    ++digits;
  }
  return digits >= least;
}

bool IsBase64(uint8_t c) {
  return absl::ascii_isalnum(c) || c == '+' || c == '/' || c == '=';
}
bool IsBase64Url(uint8_t c) { return IsBase64(c) || c == '-' || c == '_'; }

}  // namespace

std::string ReportHint(base::Bytes file) {
  constexpr size_t kHexDigits = 2 * sev::kReportSize;
  constexpr size_t kBase64Digits = (sev::kReportSize * 4 + 2) / 3;
  constexpr std::string_view kHcl = "HCLA";
  if (base::AllZero(file)) return file.empty() ? "empty" : "zeros";
  if (verifier::UnwrapMsgReportRsp(file).ok()) {
    return "a MSG_REPORT_RSP: try --wrapped msg-report-rsp";
  }
  if (verifier::SplitReportThenTable(file).ok()) {
    return "a report and its certificate table: try --wrapped "
           "report-then-table";
  }
  if (file.size() == verifier::kReportResponseBuffer) {
    return "a MSG_REPORT_RSP, by its size: try --wrapped msg-report-rsp";
  }
  if (file.size() > kHcl.size() &&
      base::Equal(file.first(kHcl.size()), base::AsBytes(kHcl))) {
    return "an Azure vTPM's blob: try --wrapped azure-hcl";
  }
  if (IsTextOf(file, kHexDigits, absl::ascii_isxdigit)) {
    return "hex text: `xxd -r -p` makes bytes of it";
  }
  if (IsTextOf(file, kBase64Digits, IsBase64)) {
    return "base64 text: `base64 -d` makes bytes of it";
  }
  if (IsTextOf(file, kBase64Digits, IsBase64Url)) {
    return "base64url text: `basenc --base64url -d` makes bytes of it";
  }
  return std::string(LooksLike(file));
}

}  // namespace cli
