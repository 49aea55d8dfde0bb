// SPDX-License-Identifier: Apache-2.0
#include "proxy/frame_link.h"

#include "proto/channel.h"
#include "proxy/reasons.h"

namespace proxy {
namespace {

using base::Code;
using base::Instant;
using base::Milliseconds;
using base::Status;

// A longer gap between polls is the caller's own work, not the host's silence.
constexpr Milliseconds kOwnWork{250};

}  // namespace

Status FrameLink::Attach(Instant deadline) {
  channel_.Reset();
  BASE_TRY(transport_.Start(deadline));
  for (;;) {
    BASE_TRY_ASSIGN(const base::Step step, transport_.Advance());
    if (step == base::Step::kDone) break;
    clock_.Relax();
  }
  last_poll_ = clock_.Now();
  quiet_since_ = last_poll_;
  return {};
}

Status FrameLink::WatchSilence(bool heard) {
  const Instant now = clock_.Now();
  const bool looked = transport_.HostLooked();
  if (heard || looked) {
    quiet_since_ = now;
  } else if (now > last_poll_ + kOwnWork) {
    // Left out and no more: what was silence before is still.
    quiet_since_ =
        Instant{static_cast<uint64_t>(quiet_since_) +
                static_cast<uint64_t>(now) - static_cast<uint64_t>(last_poll_)};
  }
  last_poll_ = now;
  if (now < quiet_since_ + max_silence_) return {};
  return Status(Code::kUnavailable, kProxyAbsent);
}

base::Result<std::optional<Frame>> FrameLink::Poll() {
  BASE_TRY(channel_.Flush());
  BASE_TRY_ASSIGN(const std::optional<Frame> frame, channel_.Receive());
  BASE_TRY(WatchSilence(frame.has_value()));
  return frame;
}

base::Result<Frame> FrameLink::Receive(Instant deadline) {
  for (;;) {
    BASE_TRY_ASSIGN(const std::optional<Frame> frame, Poll());
    if (frame.has_value()) return *frame;
    if (clock_.Passed(deadline)) {
      return Status(Code::kDeadlineExceeded, base::kDeadlinePassed);
    }
    clock_.Relax();
  }
}

base::Result<Frame> FrameLink::ReceiveType(FrameType type, Instant deadline) {
  BASE_TRY_ASSIGN(const Frame frame, Receive(deadline));
  if (frame.type != type) return Status(Code::kDataLoss, kUnexpectedMessage);
  return frame;
}

Status FrameLink::WaitToSend(Instant deadline) {
  for (;;) {
    BASE_TRY_ASSIGN(const base::Step step, channel_.Flush());
    if (step == base::Step::kDone) return {};
    BASE_TRY(WatchSilence(false));
    if (clock_.Passed(deadline)) {
      return Status(Code::kDeadlineExceeded, base::kDeadlinePassed);
    }
    clock_.Relax();
  }
}

Status FrameLink::Send(FrameType type, base::Bytes body, Instant deadline) {
  BASE_TRY(WaitToSend(deadline));
  return channel_.Send(type, body);
}

void FrameLink::Close(Instant deadline) {
  namespace channel = proto::channel;
  // Whatever fails here, the page is emptied below.
  bool alive =
      SendMessage(FrameType::kClose,
                  channel::Close{0, channel::CloseReason::kDone}, deadline)
          .ok();
  while (alive && !transport_.HostLetGo() && !clock_.Passed(deadline)) {
    alive = channel_.Flush().ok();
    clock_.Relax();
  }
  transport_.Scrub();
}

}  // namespace proxy
