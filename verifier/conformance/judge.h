// SPDX-License-Identifier: Apache-2.0
//
// Judges: from the bytes of one vector to a verdict. A judge sees a
// VectorEntry and files, never what the manifest expects.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "verifier/conformance/manifest.h"
#include "verifier/endorsements/accepted_root.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/evidence/appraisal.h"
#include "verifier/ossl/ossl.h"

namespace verifier::conformance {

struct Judgement {
  Verdict verdict = Verdict::kInvalid;
  // Names as in the manifest's `checks`; others where it has none.
  std::vector<std::string> failing_checks;
  std::string note;  // For people; may be empty.
};

// R and S of the genuine reports of a folder, and what they sign.
class SignatureIndex {
 public:
  void Add(base::Bytes report);
  // One ECDSA signature cannot verify two different messages under one key,
  // but for constructed key pairs: R and S of a genuine report over other
  // signed bytes prove that these were changed, even with no certificate.
  bool BelongsToOtherBytes(base::Bytes report) const;

 private:
  using Signature = std::array<uint8_t, 144>;
  std::map<Signature, ossl::Digest256> signed_by_;
};

// What all entries of a folder share.
struct LoadedVector;
struct VectorContext;

// What judges one kind. Kinds that need more than the verifier has come from
// the caller.
struct KindJudge {
  std::string_view kind;
  Judgement (*judge)(const LoadedVector&, const VectorContext&);
};

struct VectorContext {
  std::span<const AcceptedRoot> amd_roots, test_roots;
  const SignatureIndex* signatures;
  std::span<const KindJudge> more_kinds = {};
};

// One entry with the bytes of its files.
struct LoadedVector {
  const VectorEntry& entry;
  std::map<std::string, std::vector<uint8_t>, std::less<>> files;  // By role.

  // Empty: there is none.
  base::Bytes File(std::string_view role) const;
};

// Kinds that no judge knows are kUnverifiable, with a note that says so.
Judgement Judge(const LoadedVector& vector, const VectorContext& context);
bool IsKnownKind(std::string_view kind, const VectorContext& context);

// --- One for each group of kinds.

Judgement JudgeReport(const LoadedVector& vector, const VectorContext& context);
// The same of bytes that are part of another file.
Judgement JudgeReportBytes(const VectorEntry& entry, base::Bytes report,
                           std::shared_ptr<const Endorsements> with,
                           const VectorContext& context);
Judgement JudgeMessage(const LoadedVector& vector,
                       const VectorContext& context);
Judgement JudgeHcl(const LoadedVector& vector, const VectorContext& context);
Judgement JudgeCertificateTable(const LoadedVector& vector,
                                const VectorContext& context);
Judgement JudgeLeaf(const LoadedVector& vector, const VectorContext& context);
Judgement JudgeChain(const LoadedVector& vector, const VectorContext& context);
Judgement JudgeCrl(const LoadedVector& vector, const VectorContext& context);

// The report of an entry: its own file, or what its envelope holds; empty:
// there is none. A view into the files.
base::Bytes ReportOf(const LoadedVector& vector);

// --- For judges.

// kValid if nothing fails, else kInvalid.
Judgement Conclude(std::vector<std::string> failing_checks,
                   std::string note = "");
// kInvalid by one check that the manifest does not know, or knows.
Judgement Refuse(std::string_view check, std::string note);

// The roots that the entry's trust anchor allows.
std::span<const AcceptedRoot> RootsFor(const VectorEntry& entry,
                                       const VectorContext& context);

// A note about findings, the first of them in words.
std::string NoteOf(const Findings& findings);

}  // namespace verifier::conformance
