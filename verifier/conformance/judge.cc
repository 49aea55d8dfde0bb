// SPDX-License-Identifier: Apache-2.0
#include "verifier/conformance/judge.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sev/report.h"
#include "verifier/finding.h"

namespace verifier::conformance {
namespace {

constexpr KindJudge kJudges[] = {
    {"report", &JudgeReport},
    {"report-derived", &JudgeReport},
    {"report-synthetic", &JudgeReport},
    {"report-wrong-combination", &JudgeReport},
    {"report-upstream-negative", &JudgeReport},
    {"msg-report-rsp", &JudgeMessage},
    {"azure-hcl", &JudgeHcl},
    {"cert-table", &JudgeCertificateTable},
    {"leaf-cert", &JudgeLeaf},
    {"cert-chain", &JudgeChain},
    {"crl", &JudgeCrl},
};

// Null: nobody knows the kind.
const KindJudge* JudgeOf(std::string_view kind, const VectorContext& context) {
  for (const std::span<const KindJudge> judges :
       {std::span<const KindJudge>(kJudges), context.more_kinds}) {
    const auto found = std::ranges::find(judges, kind, &KindJudge::kind);
    if (found != judges.end()) return &*found;
  }
  return nullptr;
}

// R and S with their padding; empty: not a report, or not signed (firmware
// that masks the chip key writes zeros).
base::Bytes SignatureOf(base::Bytes report) {
  namespace layout = sev::report_layout;
  if (report.size() != sev::kReportSize) return {};
  const base::Bytes signature =
      report.subspan(layout::SignatureR::kOffset,
                     layout::SignatureS::kEnd - layout::SignatureR::kOffset);
  return base::AllZero(signature) ? base::Bytes() : signature;
}

}  // namespace

void SignatureIndex::Add(base::Bytes report) {
  const base::Bytes signature = SignatureOf(report);
  if (signature.empty()) return;
  Signature key;
  std::ranges::copy(signature, key.begin());
  signed_by_.emplace(key,
                     ossl::Sha256::Of(report.first(sev::kReportSignedSize)));
}

bool SignatureIndex::BelongsToOtherBytes(base::Bytes report) const {
  const base::Bytes signature = SignatureOf(report);
  if (signature.empty()) return false;
  Signature key;
  std::ranges::copy(signature, key.begin());
  const auto found = signed_by_.find(key);
  return found != signed_by_.end() &&
         found->second !=
             ossl::Sha256::Of(report.first(sev::kReportSignedSize));
}

base::Bytes LoadedVector::File(std::string_view role) const {
  const auto found = files.find(role);
  return found == files.end() ? base::Bytes() : base::Bytes(found->second);
}

bool IsKnownKind(std::string_view kind, const VectorContext& context) {
  return JudgeOf(kind, context) != nullptr;
}

Judgement Judge(const LoadedVector& vector, const VectorContext& context) {
  const KindJudge* known = JudgeOf(vector.entry.kind, context);
  if (known == nullptr) {
    return {.verdict = Verdict::kUnverifiable,
            .note = absl::StrCat("unknown kind ", vector.entry.kind)};
  }
  return known->judge(vector, context);
}

Judgement Conclude(std::vector<std::string> failing_checks, std::string note) {
  const auto verdict =
      failing_checks.empty() ? Verdict::kValid : Verdict::kInvalid;
  return {verdict, std::move(failing_checks), std::move(note)};
}

Judgement Refuse(std::string_view check, std::string note) {
  return Conclude({std::string(check)}, std::move(note));
}

std::span<const AcceptedRoot> RootsFor(const VectorEntry& entry,
                                       const VectorContext& context) {
  return entry.test_roots ? context.test_roots : context.amd_roots;
}

std::string NoteOf(const Findings& findings) {
  if (findings.empty()) return "";
  const Finding& first = findings.front();
  std::string note = absl::StrCat(ReasonCode(first.reason), " ",
                                  verifier::TextOf(first.reason).what);
  if (!first.detail.empty()) absl::StrAppend(&note, ": ", first.detail);
  if (findings.size() > 1) {
    absl::StrAppend(&note, "; ", findings.size() - 1, " more");
  }
  return note;
}

}  // namespace verifier::conformance
