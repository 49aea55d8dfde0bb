// SPDX-License-Identifier: Apache-2.0
#include "verifier/finding.h"

#include "base/reasons.h"
#include "proto/reasons.h"
#include "sev/reasons.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

constexpr base::ReasonRow kRows[] = {
    FORELOCK_BASE_REASONS(BASE_REASON_ROW)   //
    FORELOCK_PROTO_REASONS(BASE_REASON_ROW)  //
    FORELOCK_SEV_REASONS(BASE_REASON_ROW)    //
    FORELOCK_VERIFIER_REASONS(BASE_REASON_ROW)
        FORELOCK_VERIFIER_SUPPLY_REASONS(BASE_REASON_ROW)};

}  // namespace

hosted::ReasonRows ReasonRows() { return kRows; }

std::string ReasonCode(base::Reason reason) {
  return base::NameOf(reason).text;
}

hosted::ReasonText TextOf(base::Reason reason) {
  return hosted::TextOf(kRows, reason);
}

absl::Status Error(base::Reason reason, absl::StatusCode code,
                   std::string_view detail) {
  return hosted::Error(kRows, reason, detail, code);
}

absl::Status Error(base::Reason reason, std::string_view detail) {
  return Error(reason, absl::StatusCode::kInvalidArgument, detail);
}

Finding FindingFrom(const absl::Status& status) {
  return {hosted::ReasonOf(status).value_or(kUnclassified),
          hosted::DetailOf(status)};
}

absl::Status FromBase(base::Status status, std::string_view detail) {
  return hosted::FromBase(kRows, status, detail);
}

}  // namespace verifier
