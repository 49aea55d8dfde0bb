// SPDX-License-Identifier: Apache-2.0
//
// A verdict on a report, for people and for programs.
#pragma once

#include <ctime>
#include <string>

#include "verifier/evidence/appraisal.h"

namespace cli {

struct VerdictView {
  const verifier::Appraisal& appraisal;
  time_t at;  // When the verdict holds.
};

// One line a group of checks; each reason with its code and advice.
std::string VerdictText(const VerdictView& view);

// One object: verdict, failing_checks, checks, reasons, and what the leaf and
// the report say.
std::string VerdictJson(const VerdictView& view);

}  // namespace cli
