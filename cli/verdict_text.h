// SPDX-License-Identifier: Apache-2.0
//
// A verdict on a report, for people and for programs.
#pragma once

#include <ctime>
#include <optional>
#include <string>

#include "verifier/evidence/appraisal.h"

namespace cli {

struct VerdictView {
  const verifier::Appraisal& appraisal;
  // Whether the report data is what the user expects, if that was said.
  std::optional<bool> report_data_equal;
  // Whether the report data is the hash of the envelope's runtime data, if it
  // has any.
  std::optional<bool> runtime_data_bound;
  time_t at;  // When the verdict holds.
};

// One line a group of checks; each reason with its code and advice.
std::string VerdictText(const VerdictView& view);

// One object: verdict, failing_checks, checks, reasons, and what the leaf and
// the report say.
std::string VerdictJson(const VerdictView& view);

}  // namespace cli
