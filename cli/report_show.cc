// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/describe_report.h"
#include "cli/error.h"
#include "cli/reasons.h"
#include "cli/report_commands.h"
#include "cli/report_hint.h"
#include "cli/report_input.h"
#include "sev/report.h"

namespace cli {

absl::Status ReportShow(const hosted::Arguments& arguments) {
  const auto product = ProductGiven(arguments);
  if (!product.ok()) return product.status();
  const auto input = ReadReport(arguments);
  if (!input.ok()) return input.status();
  const auto report = sev::UnverifiedReport::FromBytes(input->bytes);
  if (!report.ok()) {
    const std::string hint = ReportHint(input->bytes);
    return Error(kNotAReport, absl::StrCat(arguments.positional(0), ": ",
                                           input->bytes.size(), " bytes",
                                           hint.empty() ? "" : ", ", hint));
  }
  Json description = DescribeReport(*report, *product);
  if (input->runtime_data_bound) {
    description["runtime_data_bound"] = *input->runtime_data_bound;
  }
  if (arguments.Has("json")) {
    absl::PrintF("%s\n", ToText(description));
    return absl::OkStatus();
  }
  if (report->version() > sev::kReportMaxVersion) {
    absl::PrintF(
        "# Version %d is newer than I know: these are the fields of version "
        "%d.\n",
        report->version(), sev::kReportMaxVersion);
  }
  absl::PrintF("# Not verified: forelock report verify does that.\n%s",
               ReportTable(description));
  return absl::OkStatus();
}

}  // namespace cli
