// SPDX-License-Identifier: Apache-2.0
//
// Finding: one reason why evidence or a request is not good enough, with what
// was seen. A decision carries all of them. Also hosted/status.h with the
// verifier's reasons.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/result.h"
#include "hosted/status.h"

namespace verifier {

struct Finding {
  base::Reason reason;
  std::string detail;  // What was seen; never a secret. May be empty.
};
using Findings = std::vector<Finding>;

// "VE19".
std::string ReasonCode(base::Reason reason);

// Of the verifier's lists and those of what it shares with the guest.
hosted::ReasonRows ReasonRows();
// Empty texts for a reason of another module.
hosted::ReasonText TextOf(base::Reason reason);

// A status whose message reads "VE19 what: detail".
absl::Status Error(base::Reason reason, absl::StatusCode code,
                   std::string_view detail);

// Of something that is no use as it is (kInvalidArgument).
absl::Status Error(base::Reason reason, std::string_view detail);

// The reason and detail of a status that has them; kUnclassified and the whole
// message of another.
Finding FindingFrom(const absl::Status& status);

// A failure of shared code at the host's edge.
absl::Status FromBase(base::Status status, std::string_view detail);

}  // namespace verifier
