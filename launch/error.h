// SPDX-License-Identifier: Apache-2.0
//
// Failures of launch/, with its reasons and those of what it shares with the
// guest.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "base/reasons.h"
#include "base/result.h"
#include "hosted/status.h"
#include "launch/reasons.h"
#include "proto/reasons.h"

namespace launch {

inline constexpr base::ReasonRow kReasonRows[] = {
    FORELOCK_BASE_REASONS(BASE_REASON_ROW)   //
    FORELOCK_PROTO_REASONS(BASE_REASON_ROW)  //
    FORELOCK_LAUNCH_REASONS(BASE_REASON_ROW)};

// "LA8 a file cannot be read or written: DETAIL".
inline absl::Status Error(
    base::Reason reason, std::string_view detail,
    absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
  return hosted::Error(kReasonRows, reason, detail, code);
}

// A failure of code that the guest has too.
inline absl::Status FromBase(base::Status status) {
  return hosted::FromBase(kReasonRows, status, "");
}

}  // namespace launch
