// SPDX-License-Identifier: Apache-2.0
//
// Failures of commands, with this folder's reasons.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "base/result.h"
#include "hosted/status.h"

namespace cli {

// "CL1 a file cannot be read: DETAIL".
absl::Status Error(base::Reason reason, std::string_view detail,
                   absl::StatusCode code = absl::StatusCode::kInvalidArgument);

// Of this folder's reasons and the verifier's; empty texts for another.
hosted::ReasonText TextOf(base::Reason reason);

}  // namespace cli
