// SPDX-License-Identifier: Apache-2.0
#include "verifier/conformance/error.h"

#include "hosted/status.h"
#include "verifier/conformance/reasons.h"

namespace verifier::conformance {
namespace {

constexpr base::ReasonRow kRows[] = {
    FORELOCK_CONFORMANCE_REASONS(BASE_REASON_ROW)};

}  // namespace

absl::Status Error(base::Reason reason, std::string_view detail) {
  return hosted::Error(kRows, reason, detail,
                       absl::StatusCode::kInvalidArgument);
}

}  // namespace verifier::conformance
