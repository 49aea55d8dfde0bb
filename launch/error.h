// SPDX-License-Identifier: Apache-2.0
//
// absl::Status with a reason code in its text, as host programs print it:
// "LA4: guest.toml:3:1: ...".
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "base/reasons.h"
#include "base/result.h"

namespace launch {

inline absl::Status Error(base::Reason reason, std::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat(base::NameOf(reason).text, ": ", text));
}

}  // namespace launch
