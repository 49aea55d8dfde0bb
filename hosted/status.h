// SPDX-License-Identifier: Apache-2.0
//
// absl::Status with a reason code: how host programs fail. There is one form of
// message, "LA5 what is wrong: what was seen"; reason and what was seen are
// also in the status itself, so that nobody has to read its text.
//
// A module gives its rows (base/reasons.h) to these functions, mostly in an
// Error() of its own:
//
//   constexpr base::ReasonRow kRows[] =
//   {FORELOCK_CLI_REASONS(BASE_REASON_ROW)}; absl::Status Error(base::Reason
//   reason, std::string_view detail) {
//     return hosted::Error(kRows, reason, detail);
//   }
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "base/reasons.h"
#include "base/result.h"

namespace hosted {

using ReasonRows = std::span<const base::ReasonRow>;

struct ReasonText {
  std::string_view what;
  std::string_view advice;
};
// Both are empty for a reason that is not among `rows`.
ReasonText TextOf(ReasonRows rows, base::Reason reason);

// "LA5 WHAT: DETAIL", with WHAT from `rows`; what is empty is left out. `code`
// says what the caller can do and is not OK; it is not shown.
absl::Status Error(ReasonRows rows, base::Reason reason,
                   std::string_view detail,
                   absl::StatusCode code = absl::StatusCode::kInvalidArgument);

// The same of a failure in code that is shared with the guest. OK stays OK.
absl::Status FromBase(ReasonRows rows, base::Status status,
                      std::string_view detail);

// nullopt: OK, or a status that none of the above made.
std::optional<base::Reason> ReasonOf(const absl::Status& status);
// Whether `status` was made for `reason`, whatever its text says.
bool Is(const absl::Status& status, base::Reason reason);
// What was seen, without reason; the whole message of a foreign status.
std::string DetailOf(const absl::Status& status);

}  // namespace hosted
