// SPDX-License-Identifier: Apache-2.0
#include <ctime>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "cli/certificate_input.h"
#include "cli/error.h"
#include "cli/files.h"
#include "cli/reasons.h"
#include "cli/report_commands.h"
#include "cli/report_hint.h"
#include "cli/report_input.h"
#include "cli/verdict_text.h"
#include "hosted/text.h"
#include "sev/report.h"
#include "verifier/endorsements/amd_roots.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/kds/fetch.h"
#include "verifier/kds/kds.h"
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

absl::Status FetchFor(const hosted::Arguments& arguments,
                      const verifier::EndorsementQuery& query,
                      const CertificateInput& certificates) {
  const auto product = ProductGiven(arguments);
  if (!product.ok()) return product.status();
  const auto kds = verifier::Kds::Create(arguments.Value("kds"));
  if (!kds.ok()) return kds.status();
  verifier::FetchOptions options = {.product = *product,
                                    .list_at = std::nullopt,
                                    .keep_in = certificates.folder,
                                    .pins = {},
                                    .note = &Note};
  for (const verifier::AcceptedRoot& root : query.roots) {
    options.pins.push_back(root.sha256);
  }
  // Today's list says nothing about another day.
  if (arguments.Has("require-crl") || !arguments.Has("at")) {
    options.list_at = query.at;
  }
  return verifier::FetchMissing(*kds, query, options,
                                *certificates.endorsements);
}

void NoteWhatItSeems(const std::string& path, base::Bytes bytes) {
  const std::string hint = ReportHint(bytes);
  if (hint.empty()) return;
  Note(absl::StrCat(path, " seems to be ", hint));
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

  const auto certificates = ReadCertificates(arguments);
  if (!certificates.ok()) return certificates.status();
  if (!input->certificate_table.empty()) {
    // What cannot be used of it, the verdict has.
    certificates->endorsements
        ->Add(input->certificate_table, {.name = arguments.positional(0),
                                         .claim = verifier::Claim::kGiven})
        .IgnoreError();
  }
  const auto report = sev::UnverifiedReport::FromBytes(input->bytes);
  if (!report.ok()) NoteWhatItSeems(arguments.positional(0), input->bytes);
  verifier::EndorsementQuery query = {.roots = *roots, .at = *now};
  if (report.ok()) query.report = &*report;
  if (report.ok() && arguments.Has("kds")) {
    const absl::Status fetched = FetchFor(arguments, query, *certificates);
    if (!fetched.ok()) return fetched;
  }

  verifier::AppraisalInput wanted = {
      .report = input->bytes,
      .endorsements = certificates->endorsements,
      .roots = *roots,
      .now = *now,
      .allow_newer_version = arguments.Has("allow-newer-version"),
      .crl_rule = arguments.Has("require-crl") ? verifier::CrlRule::kRequired
                                               : verifier::CrlRule::kIfPresent,
  };
  if (arguments.Has("report-data")) {
    wanted.report_data = {.value = *report_data,
                          .if_other = kReportDataDiffers};
  }
  if (input->runtime_data_bound) {
    wanted.runtime_data = {.is_bound = *input->runtime_data_bound,
                           .if_not = kRuntimeDataUnbound};
  }
  const verifier::Appraisal appraisal = verifier::Appraise(wanted);
  if (report.ok()) {
    NoteLeftOut(*certificates->endorsements, query, appraisal.selection);
  }
  const VerdictView view = {.appraisal = appraisal, .at = *now};
  absl::PrintF("%s",
               arguments.Has("json") ? VerdictJson(view) : VerdictText(view));
  return ExitCodeOf(appraisal.verdict);
}

}  // namespace cli
