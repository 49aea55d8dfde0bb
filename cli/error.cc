// SPDX-License-Identifier: Apache-2.0
#include "cli/error.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/reasons.h"
#include "verifier/finding.h"

namespace cli {
namespace {

constexpr base::ReasonRow kRows[] = {FORELOCK_CLI_REASONS(BASE_REASON_ROW)};

}  // namespace

absl::Status Error(base::Reason reason, std::string_view detail,
                   absl::StatusCode code) {
  std::string message =
      absl::StrCat(base::NameOf(reason).text, ": ", TextOf(reason).what);
  if (!detail.empty()) absl::StrAppend(&message, ": ", detail);
  return absl::Status(code, message);
}

ReasonText TextOf(base::Reason reason) {
  const auto row = std::ranges::find(kRows, reason, &base::ReasonRow::reason);
  if (row != std::end(kRows)) return {row->what, row->advice};
  const verifier::ReasonText text = verifier::TextOf(reason);
  return {text.what, text.advice};
}

bool Is(const absl::Status& status, base::Reason reason) {
  return absl::StartsWith(status.message(),
                          absl::StrCat(base::NameOf(reason).text, ":"));
}

}  // namespace cli
