// SPDX-License-Identifier: Apache-2.0
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "cli/certificate_source.h"
#include "cli/error.h"
#include "cli/files.h"
#include "cli/kds.h"
#include "cli/reasons.h"
#include "cli/report_commands.h"
#include "cli/report_hint.h"
#include "cli/report_input.h"
#include "cli/verdict_text.h"
#include "hosted/text.h"
#include "sev/report.h"
#include "verifier/evidence/amd_roots.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

// Those of --root-sha256, else AMD's.
absl::StatusOr<std::vector<verifier::AcceptedRoot>> RootsGiven(
    const hosted::Arguments& arguments) {
  const auto pins = PinsGiven(arguments);
  if (!pins.ok()) return pins.status();
  std::vector<verifier::AcceptedRoot> roots;
  for (const auto& pin : *pins) roots.push_back({.sha256 = pin});
  return roots;
}

// What the report data must begin with; zeros follow.
absl::StatusOr<std::vector<uint8_t>> ReportDataGiven(
    const hosted::Arguments& arguments) {
  const std::string hex = arguments.Value("report-data");
  std::vector<uint8_t> bytes(hex.size() / 2);
  if (arguments.Has("report-data") &&
      (hex.empty() || bytes.size() > sev::report_layout::ReportData::kSize ||
       hex.size() % 2 != 0 || !verifier::ossl::FromHex(hex, bytes))) {
    return hosted::UsageError("--report-data wants 1 to 64 bytes in hex");
  }
  bytes.resize(sev::report_layout::ReportData::kSize);
  return bytes;
}

absl::Status AddCertificates(const hosted::Arguments& arguments,
                             CertificateSource& source) {
  for (const std::string& path : arguments.Values("certificates")) {
    // With --kds a folder is made when something is put there.
    const bool folder =
        IsFolder(path) || (arguments.Has("kds") && !Exists(path));
    const absl::Status added =
        folder ? source.AddFolder(path) : source.AddFile(path);
    if (!added.ok()) return added;
  }
  for (const std::string& path : arguments.Values("crl")) {
    const absl::Status added = source.AddCrl(path);
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

absl::Status FetchMissing(const hosted::Arguments& arguments,
                          const sev::UnverifiedReport& report, time_t now,
                          CertificateSource& source) {
  if (!arguments.Has("kds")) return absl::OkStatus();
  const auto product = ProductGiven(arguments);
  if (!product.ok()) return product.status();
  const auto kds = Kds::Create(arguments.Value("kds"));
  if (!kds.ok()) return kds.status();
  // Today's list says nothing about another day.
  const bool with_crl = arguments.Has("require-crl") || !arguments.Has("at");
  return source.Fetch(*kds, report, *product,
                      with_crl ? std::optional(now) : std::nullopt);
}

void NoteWhatItSeems(const std::string& path, base::Bytes bytes) {
  const std::string hint = ReportHint(bytes);
  if (hint.empty()) return;
  absl::FPrintF(stderr, "forelock: note: %s seems to be %s\n",
                hosted::Printable(path), hint);
}

int ExitCodeOf(verifier::Verdict verdict) {
  switch (verdict) {
    case verifier::Verdict::kValid:
      return hosted::kExitOk;
    case verifier::Verdict::kInvalid:
      return hosted::kExitInvalid;
    case verifier::Verdict::kUnverifiable:
      return hosted::kExitUnverifiable;
  }
  __builtin_trap();
}

}  // namespace

absl::StatusOr<std::vector<verifier::ossl::Digest256>> PinsGiven(
    const hosted::Arguments& arguments) {
  std::vector<verifier::ossl::Digest256> pins;
  for (const std::string_view hex : arguments.Values("root-sha256")) {
    verifier::ossl::Digest256 pin;
    if (!verifier::ossl::FromHex(absl::StripPrefix(hex, "sha256:"), pin)) {
      return hosted::UsageError("--root-sha256 wants 64 hex digits");
    }
    pins.push_back(pin);
  }
  if (pins.empty()) {
    for (const verifier::AmdRoot& root : verifier::AmdRoots()) {
      pins.push_back(root.sha256);
    }
  }
  return pins;
}

absl::StatusOr<int> ReportVerify(const hosted::Arguments& arguments) {
  const auto now = TimeGiven(arguments);
  if (!now.ok()) return now.status();
  const auto roots = RootsGiven(arguments);
  if (!roots.ok()) return roots.status();
  const auto report_data = ReportDataGiven(arguments);
  if (!report_data.ok()) return report_data.status();
  const auto input = ReadReport(arguments);
  if (!input.ok()) return input.status();

  std::vector<verifier::ossl::Digest256> pins;
  for (const verifier::AcceptedRoot& root : *roots) {
    pins.push_back(root.sha256);
  }
  CertificateSource source(
      [](std::string_view note) {
        absl::FPrintF(stderr, "forelock: note: %s\n", hosted::Printable(note));
      },
      std::move(pins));
  absl::Status status = AddCertificates(arguments, source);
  if (!status.ok()) return status;
  if (!input->certificate_table.empty()) {
    status = source.AddTable(input->certificate_table, arguments.positional(0));
    if (!status.ok()) return status;
  }
  const auto report = sev::UnverifiedReport::FromBytes(input->bytes);
  if (!report.ok()) NoteWhatItSeems(arguments.positional(0), input->bytes);
  if (report.ok()) {
    status = FetchMissing(arguments, *report, *now, source);
    if (!status.ok()) return status;
  }

  verifier::Appraisal appraisal = verifier::Appraise({
      .report = input->bytes,
      .certificates = source.Set(report.ok() ? &*report : nullptr),
      .authorities = &source.authorities(),
      .roots = *roots,
      .now = *now,
      .allow_newer_version = arguments.Has("allow-newer-version"),
      .crl_rule = arguments.Has("require-crl") ? verifier::CrlRule::kRequired
                                               : verifier::CrlRule::kIfPresent,
  });
  source.JudgeRefused(appraisal);
  std::optional<bool> report_data_equal;
  if (arguments.Has("report-data") && report.ok()) {
    report_data_equal = base::Equal(report->report_data(), *report_data);
    if (!*report_data_equal) {
      appraisal.findings.push_back(
          {kReportDataDiffers,
           absl::StrCat("seen ", verifier::ossl::Hex(report->report_data()))});
      appraisal.verdict = verifier::Verdict::kInvalid;
    }
  }
  if (input->runtime_data_bound == false) {
    appraisal.findings.push_back({kRuntimeDataUnbound, ""});
    appraisal.verdict = verifier::Verdict::kInvalid;
  }
  const VerdictView view = {.appraisal = appraisal,
                            .report_data_equal = report_data_equal,
                            .runtime_data_bound = input->runtime_data_bound,
                            .at = *now};
  absl::PrintF("%s",
               arguments.Has("json") ? VerdictJson(view) : VerdictText(view));
  return ExitCodeOf(appraisal.verdict);
}

}  // namespace cli
