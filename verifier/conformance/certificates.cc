// SPDX-License-Identifier: Apache-2.0
//
// Vectors that are certificates, revocation lists and certificate tables.
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/reasons.h"
#include "sev/cert_table.h"
#include "verifier/conformance/judge.h"
#include "verifier/endorsements/certificate.h"
#include "verifier/endorsements/crl.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/evidence/chain.h"
#include "verifier/evidence/checks.h"
#include "verifier/finding.h"

namespace verifier::conformance {
namespace {

struct Renamed {
  Check check;
  std::string_view name;
};

// The names that entries of other kinds than reports use.
constexpr Renamed kLeafNames[] = {
    {Check::kLeafInValidity, "leaf_in_validity_at_eval"}};

std::string_view NameIn(std::span<const Renamed> names, Check check) {
  for (const Renamed& renamed : names) {
    if (renamed.check == check) return renamed.name;
  }
  return NameOf(check);
}

// Every check of the chain that could be made; valid only if all of `needed`
// passed.
Judgement JudgeByChain(const LoadedVector& vector, const VectorContext& context,
                       base::Bytes leaf, base::Bytes crl,
                       std::span<const Check> needed,
                       std::span<const Renamed> names) {
  const auto roots = RootsFor(vector.entry, context);
  Endorsements endorsements;
  endorsements.AddPlaced({.leaf = leaf,
                          .intermediate = vector.File("intermediate"),
                          .root = vector.File("root"),
                          .crl = crl},
                         "vector");
  const Selection selection =
      endorsements.For({.roots = roots, .at = vector.entry.eval_time});
  const Chain chain = VerifyChain(
      {.selection = selection, .roots = roots, .now = vector.entry.eval_time});
  Judgement judgement{.verdict = Verdict::kValid,
                      .note = NoteOf(chain.findings)};
  for (size_t i = 0; i < kCheckCount; ++i) {
    if (chain.outcomes[i] != Outcome::kFail) continue;
    judgement.failing_checks.emplace_back(NameIn(names, static_cast<Check>(i)));
  }
  for (const Check check : needed) {
    if (chain.outcomes[static_cast<size_t>(check)] == Outcome::kNotEvaluated) {
      judgement.verdict = Verdict::kUnverifiable;
    }
  }
  if (!judgement.failing_checks.empty()) {
    judgement.verdict = Verdict::kInvalid;
  } else if (judgement.verdict == Verdict::kValid) {
    judgement.note.clear();  // That there is no leaf, of a chain without one.
  }
  return judgement;
}

// DER or PEM of each certificate in the table, and of the list.
std::vector<std::string> UnreadableOf(const sev::CertTable& table) {
  std::vector<std::string> unreadable;
  const std::pair<std::string_view, base::Bytes> slots[] = {
      {"VCEK", table.vcek},
      {"VLEK", table.vlek},
      {"ASK", table.ask},
      {"ARK", table.ark}};
  for (const auto& [name, bytes] : slots) {
    if (!bytes.empty() && !Certificate::Parse(bytes)) {
      unreadable.emplace_back(name);
    }
  }
  if (!table.crl.empty() && !Crl::Parse(table.crl)) {
    unreadable.emplace_back("CRL");
  }
  return unreadable;
}

}  // namespace

Judgement JudgeLeaf(const LoadedVector& vector, const VectorContext& context) {
  constexpr Check kNeeded[] = {
      Check::kCertificatesParse,  Check::kRootPinned, Check::kRootSelfSigned,
      Check::kIntermediateSigned, Check::kLeafSigned, Check::kLeafKey,
      Check::kLeafInValidity,
  };
  return JudgeByChain(vector, context, vector.File("leaf"), vector.File("crl"),
                      kNeeded, kLeafNames);
}

Judgement JudgeChain(const LoadedVector& vector, const VectorContext& context) {
  std::vector<Check> needed = {
      Check::kCertificatesParse,
      Check::kRootPinned,
      Check::kRootSelfSigned,
      Check::kIntermediateSigned,
  };
  if (!vector.File("crl").empty()) {
    needed.insert(needed.end(), {Check::kCrlSigned, Check::kCrlCurrent,
                                 Check::kIntermediateNotRevoked});
  }
  return JudgeByChain(vector, context, {}, vector.File("crl"), needed, {});
}

Judgement JudgeCrl(const LoadedVector& vector, const VectorContext& context) {
  const auto crl = Crl::Parse(vector.File("crl"));
  const auto root = Certificate::Parse(vector.File("root"));
  if (!crl) {
    return Refuse(NameOf(Check::kCertificatesParse),
                  NoteOf({Crl::WhyNot(vector.File("crl"))}));
  }
  if (!root) {
    return Refuse(NameOf(Check::kCertificatesParse), "the root does not parse");
  }
  std::vector<std::string> failing;
  Findings all;
  const auto record = [&](std::string_view name, Findings findings) {
    if (!findings.empty()) failing.emplace_back(name);
    all.insert(all.end(), findings.begin(), findings.end());
  };
  Findings findings;
  CheckCrlSignedBy(*crl, *root, findings);
  record("signed_by_root", std::exchange(findings, {}));
  CheckCrlCurrent(*crl, vector.entry.eval_time, findings);
  record("current", std::exchange(findings, {}));
  bool pinned = false;
  for (const AcceptedRoot& accepted : RootsFor(vector.entry, context)) {
    pinned = pinned || accepted.sha256 == root->sha256();
  }
  if (!pinned) failing.emplace_back(NameOf(Check::kRootPinned));
  return Conclude(std::move(failing), NoteOf(all));
}

Judgement JudgeCertificateTable(const LoadedVector& vector,
                                const VectorContext& context) {
  const base::Bytes bytes = vector.File("table");
  if (bytes.empty()) return Refuse("table", "no table");
  const auto table = sev::ParseCertTable(bytes);
  if (!table.ok()) {
    const absl::Status status = FromBase(table.status(), "");
    return Refuse("table", std::string(status.message()));
  }
  if (const auto unreadable = UnreadableOf(*table); !unreadable.empty()) {
    return Refuse(NameOf(Check::kCertificatesParse),
                  absl::StrCat("the ", unreadable.front(), " does not parse"));
  }
  const bool none = table->vcek.empty() && table->vlek.empty() &&
                    table->ask.empty() && table->ark.empty() &&
                    table->crl.empty();
  // The host gave none: that is all it can say. A table of entries that nobody
  // knows is another thing; GUIDs in EFI's byte order end here.
  const bool only_end = bytes.size() == sev::kCertTableEntrySize;
  if (none && !only_end) return Refuse("table", "no entry has a known GUID");
  const base::Bytes report = vector.File("report");
  if (report.empty()) return Conclude({});
  // What the host left out may be beside the table.
  auto placed = std::make_shared<Endorsements>();
  placed->AddTable(*table, "table");
  placed->AddPlaced({.intermediate = vector.File("intermediate"),
                     .root = vector.File("root"),
                     .crl = vector.File("crl")},
                    "beside the table");
  Judgement judgement = JudgeReportBytes(vector.entry, report, placed, context);
  // A host need not give all that a report needs: the table itself is good.
  if (judgement.verdict == Verdict::kUnverifiable) {
    judgement.verdict = Verdict::kValid;
  }
  return judgement;
}

}  // namespace verifier::conformance
