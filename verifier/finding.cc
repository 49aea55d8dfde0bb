// SPDX-License-Identifier: Apache-2.0
#include "verifier/finding.h"

#include <cstdint>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
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
    FORELOCK_VERIFIER_REASONS(BASE_REASON_ROW)};

constexpr std::string_view kReasonPayload = "forelock/reason";
constexpr std::string_view kDetailPayload = "forelock/detail";

}  // namespace

std::string ReasonCode(base::Reason reason) {
  return base::NameOf(reason).text;
}

std::string Printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7F) {
      out.push_back(c);
    } else {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(c));
    }
  }
  return out;
}

ReasonText TextOf(base::Reason reason) {
  for (const base::ReasonRow& row : kRows) {
    if (row.reason == reason) return {row.what, row.advice};
  }
  return {};
}

absl::Status Error(base::Reason reason, absl::StatusCode code,
                   std::string_view detail) {
  std::string message = ReasonCode(reason);
  const ReasonText text = TextOf(reason);
  if (!text.what.empty()) absl::StrAppend(&message, " ", text.what);
  if (!detail.empty()) absl::StrAppend(&message, ": ", detail);
  absl::Status status(code, message);
  status.SetPayload(kReasonPayload,
                    absl::Cord(absl::StrCat(uint32_t{reason.bits})));
  status.SetPayload(kDetailPayload, absl::Cord(detail));
  return status;
}

Finding FindingFrom(const absl::Status& status) {
  const auto reason = status.GetPayload(kReasonPayload);
  const auto detail = status.GetPayload(kDetailPayload);
  uint32_t bits = 0;
  if (!reason || !absl::SimpleAtoi(std::string(*reason), &bits)) {
    return {kStoreWrite, std::string(status.message())};
  }
  return {base::Reason::FromBits(bits),
          detail ? std::string(*detail) : std::string()};
}

absl::Status FromBase(base::Status status, std::string_view detail) {
  // base::Code's values are absl's.
  return Error(status.reason(),
               static_cast<absl::StatusCode>(static_cast<int>(status.code())),
               detail);
}

}  // namespace verifier
