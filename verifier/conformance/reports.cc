// SPDX-License-Identifier: Apache-2.0
//
// Vectors that are a report, or a report in an envelope.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "verifier/conformance/judge.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/evidence/checks.h"
#include "verifier/evidence/wrapped_report.h"
#include "verifier/ossl/ossl.h"

namespace verifier::conformance {
namespace {

// A report from an envelope is judged for what can be seen of it: without
// certificates it is unverifiable by itself, but the envelope may be good.
Judgement JudgeEmbedded(const VectorEntry& entry, base::Bytes report,
                        const VectorContext& context) {
  if (entry.embedded_report &&
      ossl::Sha256::Of(report) != *entry.embedded_report) {
    return Refuse("embedded_report", "another report than the manifest names");
  }
  Judgement judgement = JudgeReportBytes(entry, report, nullptr, context);
  if (judgement.verdict == Verdict::kUnverifiable) {
    judgement = Conclude({}, "the envelope is; the report has no certificate");
  }
  return judgement;
}

}  // namespace

Judgement JudgeReportBytes(const VectorEntry& entry, base::Bytes report,
                           std::shared_ptr<const Endorsements> with,
                           const VectorContext& context) {
  const Appraisal appraisal = Appraise({.report = report,
                                        .endorsements = std::move(with),
                                        .roots = RootsFor(entry, context),
                                        .now = entry.eval_time});
  Judgement judgement{.verdict = appraisal.verdict,
                      .note = NoteOf(appraisal.findings)};
  for (const Check check : FailingChecks(appraisal)) {
    judgement.failing_checks.emplace_back(NameOf(check));
  }
  if (judgement.verdict == Verdict::kUnverifiable &&
      appraisal.selection.leaf == nullptr &&
      context.signatures->BelongsToOtherBytes(report)) {
    return Refuse(NameOf(Check::kReportSignature),
                  "R and S are those of a genuine report of this folder, "
                  "which says something else");
  }
  return judgement;
}

Judgement JudgeReport(const LoadedVector& vector,
                      const VectorContext& context) {
  // Each file in the place that it claims: nothing is sorted here.
  auto placed = std::make_shared<Endorsements>();
  placed->AddPlaced({.leaf = vector.File("leaf"),
                     .intermediate = vector.File("intermediate"),
                     .root = vector.File("root"),
                     .crl = vector.File("crl")},
                    "vector");
  return JudgeReportBytes(vector.entry, vector.File("report"), placed, context);
}

base::Bytes ReportOf(const LoadedVector& vector) {
  if (const base::Bytes report = vector.File("report"); !report.empty()) {
    return report;
  }
  if (const auto report = UnwrapMsgReportRsp(vector.File("msg")); report.ok()) {
    return *report;
  }
  const auto hcl = ParseAzureHcl(vector.File("hcl"));
  return hcl.ok() ? hcl->report : base::Bytes();
}

Judgement JudgeMessage(const LoadedVector& vector,
                       const VectorContext& context) {
  const auto report = UnwrapMsgReportRsp(vector.File("msg"));
  if (!report.ok()) {
    return Refuse("wrapper", std::string(report.status().message()));
  }
  return JudgeEmbedded(vector.entry, *report, context);
}

Judgement JudgeHcl(const LoadedVector& vector, const VectorContext& context) {
  const auto hcl = ParseAzureHcl(vector.File("hcl"));
  if (!hcl.ok()) return Refuse("wrapper", std::string(hcl.status().message()));
  if (!RuntimeDataIsBound(*hcl)) {
    return Refuse("runtime_data_hash",
                  "REPORT_DATA is not the hash of the runtime data");
  }
  return JudgeEmbedded(vector.entry, hcl->report, context);
}

}  // namespace verifier::conformance
