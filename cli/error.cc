// SPDX-License-Identifier: Apache-2.0
#include "cli/error.h"

#include <algorithm>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/reasons.h"

namespace cli {
namespace {

constexpr base::ReasonRow kRows[] = {FORELOCK_CLI_REASONS(BASE_REASON_ROW)};

}  // namespace

absl::Status Error(base::Reason reason, std::string_view detail,
                   absl::StatusCode code) {
  const auto row = std::ranges::find(kRows, reason, &base::ReasonRow::reason);
  std::string message = base::NameOf(reason).text;
  if (row != std::end(kRows)) absl::StrAppend(&message, ": ", row->what);
  if (!detail.empty()) absl::StrAppend(&message, ": ", detail);
  return absl::Status(code, message);
}

bool Is(const absl::Status& status, base::Reason reason) {
  return absl::StartsWith(status.message(),
                          absl::StrCat(base::NameOf(reason).text, ":"));
}

}  // namespace cli
