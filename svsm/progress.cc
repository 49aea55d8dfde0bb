// SPDX-License-Identifier: Apache-2.0
#include "svsm/progress.h"

#include "base/reasons.h"
#include "svsm/console/console.h"
#include "svsm/panic/reason_text.h"

namespace svsm {
namespace {

namespace channel = proto::channel;

// A proxy that does not read must not keep a boot from going on.
constexpr base::Milliseconds kPatience{1000};

}  // namespace

uint64_t Progress::ElapsedMicroseconds() {
  return static_cast<uint64_t>(clock_.Now()) / 1000;
}

void Progress::Send(const channel::Progress& message) {
  if (client_ == nullptr || !client_->connected()) return;
  // Nothing depends on it; a broken channel shows at its next use.
  static_cast<void>(client_->SendProgress(message, clock_.Now() + kPatience));
}

void Progress::ChannelIsUp() {
  for (size_t i = 0; i < waiting_count_; ++i) {
    Send({.phase = waiting_[i].phase, .elapsed_us = waiting_[i].elapsed_us});
  }
  waiting_count_ = 0;
}

void Progress::Note(const Line& line) {
  console::PrintTimed(static_cast<uint64_t>(clock_.Now()), line);
}

void Progress::Retrying(const AttemptResult& why) {
  Line line;
  line << "trying again: ";
  if (why.status.ok()) {
    line << proto::NameOf(why.outcome);
  } else {
    line << base::NameOf(why.status.reason()).text << " "
         << ReasonText(why.status.reason());
  }
  Note(line);
}

void Progress::Reached(channel::Phase phase, const Line& line) {
  Note(line);
  const uint64_t elapsed_us = ElapsedMicroseconds();
  if (client_ != nullptr && client_->connected()) {
    Send({.phase = phase, .elapsed_us = elapsed_us});
  } else if (waiting_count_ < waiting_.size()) {
    waiting_[waiting_count_++] = {phase, elapsed_us};
  }
}

void Progress::Refused(proto::Outcome outcome, base::Bytes decision_id) {
  Line line;
  line << "refused: " << proto::NameOf(outcome) << " decision ";
  line.HexBytes(decision_id);
  console::Print(line);
  Send({.phase = channel::Phase::kRefused,
        .outcome = static_cast<uint32_t>(outcome),
        .decision_id = decision_id,
        .elapsed_us = ElapsedMicroseconds()});
}

void Progress::Failed(base::Status why) {
  Send({.phase = channel::Phase::kFailed,
        .reason = why.reason().bits,
        .text = base::AsBytes(ReasonText(why.reason())),
        .elapsed_us = ElapsedMicroseconds()});
}

}  // namespace svsm
