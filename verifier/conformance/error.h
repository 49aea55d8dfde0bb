// SPDX-License-Identifier: Apache-2.0
//
// hosted/status.h with this folder's reasons.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "base/result.h"

namespace verifier::conformance {

// InvalidArgument: "CL40 what: DETAIL".
absl::Status Error(base::Reason reason, std::string_view detail);

}  // namespace verifier::conformance
