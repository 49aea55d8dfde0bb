// SPDX-License-Identifier: Apache-2.0
//
// FrameLink: a page transport and its frames, with waiting calls that end at a
// deadline. The second channel (emulated secure processor) uses it as it is;
// Client builds the proxy channel on it.
#pragma once

#include <stdint.h>

#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "proxy/frame.h"
#include "proxy/guest_transport.h"

namespace proxy {

// How long the daemon may neither send nor look into the ring. It looks four
// times a second; on a host that is busy it can be late.
inline constexpr base::Milliseconds kMaxSilence{4000};
inline constexpr base::Milliseconds kAnySilence{UINT64_MAX};

class FrameLink {
 public:
  // `max_silence`: kAnySilence for who has no use for another session.
  FrameLink(GuestPageTransport& transport, base::Clock& clock,
            base::Milliseconds max_silence = kMaxSilence)
      : transport_(transport),
        clock_(clock),
        max_silence_(max_silence),
        channel_(transport) {}

  // Registers, again and again with back-off, until the daemon answers.
  //   kDeadlineExceeded (kProxyAbsent); others as in GuestPageTransport.
  base::Status Attach(base::Instant deadline);

  // The next frame, waiting for it; it is valid until the next call.
  //   kDeadlineExceeded (base::kDeadlinePassed).
  //   kUnavailable (kProxyAbsent): the daemon gave no sign of life.
  //   Others as in GuestPageTransport and FrameChannel.
  base::Result<Frame> Receive(base::Instant deadline);
  // As Receive, but another type is an error.
  //   kDataLoss (kUnexpectedMessage).
  base::Result<Frame> ReceiveType(FrameType type, base::Instant deadline);
  // The next frame if it is here. Looks after the daemon's liveness.
  base::Result<std::optional<Frame>> Poll();

  base::Status Send(FrameType type, base::Bytes body, base::Instant deadline);
  template <typename Message>
  base::Status SendMessage(FrameType type, const Message& message,
                           base::Instant deadline) {
    BASE_TRY(WaitToSend(deadline));
    return proxy::SendMessage(channel_, type, message);
  }

  // Ends the session: tells the host, waits until it has let go of the page (or
  // for the deadline), and empties the shared range.
  void Close(base::Instant deadline);

  GuestPageTransport& transport() { return transport_; }
  FrameChannel& channel() { return channel_; }
  base::Clock& clock() { return clock_; }

 private:
  base::Status WaitToSend(base::Instant deadline);
  base::Status WatchSilence(bool heard);

  GuestPageTransport& transport_;
  base::Clock& clock_;
  const base::Milliseconds max_silence_;
  FrameChannel channel_;
  base::Instant last_poll_{};
  base::Instant quiet_since_{};
};

}  // namespace proxy
