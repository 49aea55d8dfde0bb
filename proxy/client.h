// SPDX-License-Identifier: Apache-2.0
//
// The guest's client of the proxy channel: one VM, one stream at a time.
//
// No heap, 90 KiB in itself: make it static. Waiting calls return at their
// deadline at the latest; the stream and Poll() never wait. After an error the
// client is done for; Connect() starts anew (a stream of the old session stays
// failed).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "proto/channel.h"
#include "proxy/frame_link.h"
#include "proxy/guest_transport.h"

namespace proxy {

class Client {
 public:
  Client(GuestPageTransport& transport, base::Clock& clock);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Registers and shakes hands. `vm` is 1..128 bytes of [a-z0-9._/-].
  //   kDeadlineExceeded (kProxyAbsent): nobody answered.
  //   kFailedPrecondition (kNoCommonVersion, kNoDoorbell).
  //   kDataLoss: the host broke the rules.
  base::Status Connect(base::Bytes vm, base::Instant deadline);

  // Takes in what the host sent. Call it in every loop that waits on the
  // stream; it also finds out that the daemon is gone.
  base::Status Poll();

  // Asks for a connection to the endpoint of that name.
  //   kNotFound (kEndpointUnknown), kUnavailable (kEndpointUnreachable,
  //   kTooManyStreams, kProxyShuttingDown), kDeadlineExceeded.
  base::Status OpenStream(base::Bytes endpoint, base::Instant deadline);
  // Polls by itself. Errors after an orderly end: base::kStreamClosed; after a
  // broken connection: kStreamReset; of the channel: the channel's.
  base::ByteStream& stream() { return stream_; }
  void CloseStream(base::Instant deadline);

  // The certificate table for a chip at a TCB; the size is 0 if the proxy has
  // none. Data for the stream may arrive meanwhile and is kept.
  //   kResourceExhausted: `out` is too small.
  base::Result<size_t> GetCertificates(
      std::span<const uint8_t, proto::channel::kChipIdSize> chip_id,
      uint64_t tcb, base::MutableBytes out, base::Instant deadline);

  base::Status SendProgress(const proto::channel::Progress& progress,
                            base::Instant deadline);

  // For frames that have no call of their own.
  FrameLink& link() { return link_; }

  // Ends the session, waits until the host has let go of the page (or for the
  // deadline), empties the shared range and this object's buffers.
  void Close(base::Instant deadline);

  bool connected() const { return connected_; }

 private:
  class Stream final : public base::ByteStream {
   public:
    explicit Stream(Client& client) : client_(client) {}
    base::Result<size_t> Read(base::MutableBytes out) override;
    base::Result<size_t> Write(base::Bytes bytes) override;

   private:
    Client& client_;
  };
  enum class StreamState : uint8_t { kNone, kOpening, kOpen, kEnded };

  // What this side lets the proxy send before more is read.
  static constexpr uint32_t kReceiveCredit = 32 * 1024;

  base::Status Fail(base::Status status);
  base::Status HandleFrame(const Frame& frame);
  base::Result<bool> IsCurrent(uint32_t stream) const;
  base::Status HandleData(base::Bytes body);
  base::Status HandleCredit(base::Bytes body);
  base::Status HandleClose(base::Bytes body);
  base::Status HandleOpenReply(const Frame& frame);
  base::Status HandleCertificates(base::Bytes body);
  base::Status ReturnCredit();
  base::Result<size_t> StreamRead(base::MutableBytes out);
  base::Result<size_t> StreamWrite(base::Bytes bytes);

  FrameLink link_;
  base::Clock& clock_;
  bool connected_ = false;
  base::Status broken_;
  uint32_t peer_max_payload_ = 0;
  uint32_t peer_credit_ = 0;

  Stream stream_{*this};
  StreamState stream_state_ = StreamState::kNone;
  base::Status stream_end_;  // why, if kEnded
  uint32_t stream_id_ = 0;
  uint32_t send_credit_ = 0;
  uint32_t receive_left_ = 0;  // credit that the proxy still holds
  uint32_t consumed_ = 0;      // read by the caller, not yet given back
  size_t buffer_head_ = 0;     // free-running over buffer_
  size_t buffer_tail_ = 0;

  bool certificates_pending_ = false;
  uint32_t certificates_late_ = 0;  // answers that nobody waits for any more
  base::MutableBytes certificates_out_;
  base::Result<size_t> certificates_size_ = size_t{0};

  proto::channel::Arena arena_;
  uint8_t buffer_[kReceiveCredit];
};

}  // namespace proxy
