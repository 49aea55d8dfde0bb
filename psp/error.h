// SPDX-License-Identifier: Apache-2.0
//
// Failures of the emulated secure processor, with its reasons.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "base/reasons.h"
#include "base/result.h"
#include "hosted/status.h"
#include "psp/reasons.h"

namespace psp {

inline constexpr base::ReasonRow kReasonRows[] = {
    FORELOCK_PSP_REASONS(BASE_REASON_ROW)};

// "EM2 the guest image cannot be measured: DETAIL".
inline absl::Status Error(
    base::Reason reason, std::string_view detail,
    absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
  return hosted::Error(kReasonRows, reason, detail, code);
}

}  // namespace psp
