// SPDX-License-Identifier: Apache-2.0
#include "cli/error.h"

#include "cli/reasons.h"
#include "hosted/status.h"
#include "verifier/finding.h"

namespace cli {
namespace {

constexpr base::ReasonRow kRows[] = {FORELOCK_CLI_REASONS(BASE_REASON_ROW)};

}  // namespace

absl::Status Error(base::Reason reason, std::string_view detail,
                   absl::StatusCode code) {
  return hosted::Error(kRows, reason, detail, code);
}

hosted::ReasonText TextOf(base::Reason reason) {
  const hosted::ReasonText own = hosted::TextOf(kRows, reason);
  return own.what.empty() ? verifier::TextOf(reason) : own;
}

}  // namespace cli
