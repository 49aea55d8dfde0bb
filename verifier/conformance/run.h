// SPDX-License-Identifier: Apache-2.0
//
// Runs the vectors of a folder and compares verdicts with what its manifest
// expects.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "verifier/conformance/judge.h"
#include "verifier/conformance/manifest.h"

namespace verifier::conformance {

struct VectorResult {
  std::string id;
  std::string kind;
  std::string verdict;  // "error": not judged; the note says why.
  std::vector<std::string> failing_checks;
  std::string expected;  // The verdict; empty: the entry has none.
  bool as_expected = false;
  std::string note;
};

struct VectorFilter {
  std::string id;    // empty: any
  std::string kind;  // empty: any
};

// In the manifest's order. Also reads what the filter leaves out: one report
// can speak of another (SignatureIndex).
// `more_kinds`: judges of kinds that this folder has none of.
//   VS22, CL40: no usable manifest. CL44: the filter leaves nothing.
absl::StatusOr<std::vector<VectorResult>> RunVectors(
    const std::string& folder, const VectorFilter& filter = {},
    std::span<const KindJudge> more_kinds = {});

// The verdict is the one expected; where it is "invalid", one of the named
// checks fails, if there are any, and none that should pass.
bool IsAsExpected(const Expectation& expected, const Judgement& judgement);

bool AllAsExpected(const std::vector<VectorResult>& results);

// One line an entry, then a summary.
std::string TextOf(const std::vector<VectorResult>& results);
std::string JsonOf(const std::vector<VectorResult>& results);

}  // namespace verifier::conformance
