// SPDX-License-Identifier: Apache-2.0
#include "cli/report_input.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "cli/files.h"
#include "verifier/evidence/wrapped_report.h"

namespace cli {

absl::StatusOr<ReportInput> ReadReport(const hosted::Arguments& arguments) {
  const std::string wrapped = arguments.Value("wrapped");
  if (!wrapped.empty() && wrapped != "msg-report-rsp" &&
      wrapped != "azure-hcl" && wrapped != "report-then-table") {
    return hosted::UsageError(absl::StrCat("--wrapped: no envelope ", wrapped));
  }
  auto file = ReadInput(arguments.positional(0));
  if (!file.ok()) return file.status();
  ReportInput input;
  if (wrapped.empty()) {
    input.bytes = *std::move(file);
  } else if (wrapped == "azure-hcl") {
    const auto hcl = verifier::ParseAzureHcl(*file);
    if (!hcl.ok()) return hcl.status();
    input.bytes.assign(hcl->report.begin(), hcl->report.end());
    input.runtime_data_bound = verifier::RuntimeDataIsBound(*hcl);
  } else if (wrapped == "report-then-table") {
    const auto parts = verifier::SplitReportThenTable(*file);
    if (!parts.ok()) return parts.status();
    input.bytes.assign(parts->report.begin(), parts->report.end());
    input.certificate_table.assign(parts->table.begin(), parts->table.end());
  } else {
    const auto report = verifier::UnwrapMsgReportRsp(*file);
    if (!report.ok()) return report.status();
    input.bytes.assign(report->begin(), report->end());
  }
  return input;
}

absl::StatusOr<time_t> TimeGiven(const hosted::Arguments& arguments) {
  if (!arguments.Has("at")) return absl::ToTimeT(absl::Now());
  absl::Time time;
  std::string why;
  if (!absl::ParseTime(absl::RFC3339_full, arguments.Value("at"), &time,
                       &why)) {
    return hosted::UsageError(
        absl::StrCat("--at wants 2026-09-15T00:00:00Z: ", why));
  }
  return absl::ToTimeT(time);
}

absl::StatusOr<std::optional<sev::Product>> ProductGiven(
    const hosted::Arguments& arguments) {
  if (!arguments.Has("product")) return std::optional<sev::Product>();
  const std::string name = arguments.Value("product");
  for (const sev::Product product : sev::kProducts) {
    if (absl::EqualsIgnoreCase(name, sev::NameOf(product))) return product;
  }
  return hosted::UsageError(
      absl::StrCat("--product: no processor line ", name));
}

}  // namespace cli
