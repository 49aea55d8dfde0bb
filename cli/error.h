// SPDX-License-Identifier: Apache-2.0
//
// Failures of commands, as absl::Status that says its reason code.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "base/result.h"

namespace cli {

// "CL1: a file cannot be read: DETAIL". The status code follows what the caller
// can do; it is not shown.
absl::Status Error(base::Reason reason, std::string_view detail,
                   absl::StatusCode code = absl::StatusCode::kInvalidArgument);

struct ReasonText {
  std::string_view what;
  std::string_view advice;
};
// Of this folder's reasons and the verifier's; empty texts for another.
ReasonText TextOf(base::Reason reason);

// Whether `status` was made by Error for this reason.
bool Is(const absl::Status& status, base::Reason reason);

}  // namespace cli
