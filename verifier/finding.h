// SPDX-License-Identifier: Apache-2.0
//
// Finding: one reason why evidence or a request is not good enough, with what
// was seen. A decision carries all of them. Also the way from reasons to
// absl::Status, which host code uses, and to text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/result.h"

namespace verifier {

struct Finding {
  base::Reason reason;
  std::string detail;  // What was seen; never a secret. May be empty.
};
using Findings = std::vector<Finding>;

// "VE19".
std::string ReasonCode(base::Reason reason);

// For a terminal or a log: what is not printable ASCII as \xNN. Whatever a peer
// or a database file had a say in goes through this before it is shown.
std::string Printable(std::string_view text);

struct ReasonText {
  std::string_view what;
  std::string_view advice;
};
// From the verifier's lists and base's; empty texts for an unknown reason.
ReasonText TextOf(base::Reason reason);

// A status whose message reads "VE19 what: detail".
absl::Status Error(base::Reason reason, absl::StatusCode code,
                   std::string_view detail);

// The reason and text of a status that Error made; kStoreWrite for others.
Finding FindingFrom(const absl::Status& status);

// A failure of shared code at the host's edge.
absl::Status FromBase(base::Status status, std::string_view detail);

}  // namespace verifier
