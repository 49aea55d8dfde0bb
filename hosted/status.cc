// SPDX-License-Identifier: Apache-2.0
#include "hosted/status.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hosted {
namespace {

constexpr std::string_view kReasonPayload = "forelock/reason";
constexpr std::string_view kDetailPayload = "forelock/detail";

}  // namespace

ReasonText TextOf(ReasonRows rows, base::Reason reason) {
  const auto row = std::ranges::find(rows, reason, &base::ReasonRow::reason);
  if (row == rows.end()) return {};
  return {row->what, row->advice};
}

absl::Status Error(ReasonRows rows, base::Reason reason,
                   std::string_view detail, absl::StatusCode code) {
  const std::string_view what = TextOf(rows, reason).what;
  std::string message = base::NameOf(reason).text;
  if (!what.empty()) absl::StrAppend(&message, " ", what);
  if (!detail.empty()) absl::StrAppend(&message, ": ", detail);
  absl::Status status(code, message);
  status.SetPayload(kReasonPayload,
                    absl::Cord(absl::StrCat(uint32_t{reason.bits})));
  status.SetPayload(kDetailPayload, absl::Cord(detail));
  return status;
}

absl::Status FromBase(ReasonRows rows, base::Status status,
                      std::string_view detail) {
  if (status.ok()) return absl::OkStatus();
  // base::Code's values are absl's.
  return Error(rows, status.reason(), detail,
               static_cast<absl::StatusCode>(static_cast<int>(status.code())));
}

std::optional<base::Reason> ReasonOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kReasonPayload);
  uint32_t bits = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &bits)) {
    return std::nullopt;
  }
  return base::Reason::FromBits(bits);
}

bool Is(const absl::Status& status, base::Reason reason) {
  return ReasonOf(status) == reason;
}

std::string DetailOf(const absl::Status& status) {
  const auto detail = status.GetPayload(kDetailPayload);
  return std::string(detail ? std::string(*detail) : status.message());
}

}  // namespace hosted
