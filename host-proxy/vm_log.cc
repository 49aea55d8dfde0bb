// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/vm_log.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "hosted/text.h"
#include "proto/attest.h"

namespace host_proxy {
namespace {

using proto::channel::Phase;
using proto::channel::Progress;

std::string_view NameOf(Phase phase) {
  switch (phase) {
    case Phase::kStarted:
      return "started";
    case Phase::kMeasured:
      return "measured";
    case Phase::kConnected:
      return "connected";
    case Phase::kAttested:
      return "attested";
    case Phase::kGranted:
      return "granted";
    case Phase::kRefused:
      return "refused";
    case Phase::kFailed:
      return "failed";
    case Phase::kHandingOver:
      return "handing-over";
    case Phase::kUnspecified:
      break;
  }
  return "unknown";
}

std::string_view OutcomeName(uint32_t outcome) {
  if (outcome < static_cast<uint32_t>(proto::Outcome::kGranted) ||
      outcome > static_cast<uint32_t>(proto::Outcome::kProtocolError)) {
    return "unknown";
  }
  return proto::NameOf(static_cast<proto::Outcome>(outcome));
}

}  // namespace

std::string FormatProgress(const Progress& progress) {
  const double seconds = static_cast<double>(progress.elapsed_us) / 1e6;
  switch (progress.phase) {
    case Phase::kRefused:
      return absl::StrCat("refused: ", OutcomeName(progress.outcome),
                          ", decision ", hosted::Hex(progress.decision_id));
    case Phase::kFailed:
      return absl::StrCat("failed: ", hosted::ForeignReason(progress.reason),
                          " ", hosted::AsText(progress.text));
    case Phase::kGranted:
      if (!progress.decision_id.empty()) {
        return absl::StrFormat("granted (%.3f s), decision %s", seconds,
                               hosted::Hex(progress.decision_id));
      }
      break;
    case Phase::kUnspecified:
    case Phase::kStarted:
    case Phase::kMeasured:
    case Phase::kConnected:
    case Phase::kAttested:
    case Phase::kHandingOver:
      break;
  }
  return absl::StrFormat("%s (%.3f s)", NameOf(progress.phase), seconds);
}

VmLog::VmLog(std::string label, Sink sink)
    : label_(std::move(label)), sink_(std::move(sink)) {}

void VmLog::Line(std::string_view what, Time now) {
  if (lines_ == 0 || now - minute_start_ >= std::chrono::minutes(1)) {
    minute_start_ = now;
    lines_ = 0;
  }
  if (++lines_ > kLinesPerMinute) return;
  sink_(absl::StrCat(label_, ": ", what));
  if (lines_ == kLinesPerMinute) {
    sink_(absl::StrCat(label_,
                       ": too many lines, the rest of this minute is "
                       "left out"));
  }
}

}  // namespace host_proxy
