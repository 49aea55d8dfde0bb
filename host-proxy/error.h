// SPDX-License-Identifier: Apache-2.0
//
// Failures of the daemon, with its reasons.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "base/reasons.h"
#include "base/result.h"
#include "host-proxy/reasons.h"
#include "hosted/status.h"

namespace host_proxy {

inline constexpr base::ReasonRow kReasonRows[] = {
    FORELOCK_HOST_PROXY_REASONS(BASE_REASON_ROW)};

// "HP5 a VM's socket cannot be listened on: DETAIL".
inline absl::Status Error(
    base::Reason reason, std::string_view detail,
    absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
  return hosted::Error(kReasonRows, reason, detail, code);
}

}  // namespace host_proxy
