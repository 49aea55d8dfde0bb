// SPDX-License-Identifier: Apache-2.0
//
// The guest's end of the page transport (docs/channel.md, "The page").
//
// A ByteStream once attached. It rings the doorbell by itself, once, when the
// host has said that it is about to sleep, and never again until the host asks
// for the next one. Everything in the page is the host's word: what it writes
// to the port in all has a limit that no word of the page moves.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "proxy/registration.h"
#include "proxy/ring.h"
#include "proxy/shared_range.h"

namespace proxy {

// The port. One Write is one exit to the host.
class Doorbell {
 public:
  virtual void Write(uint8_t byte) = 0;
  virtual uint8_t ReadBack() = 0;

 protected:
  ~Doorbell() = default;
};

// One object for each port and boot: it has the boot's budget of port bytes.
class GuestPageTransport final : public base::ByteStream {
 public:
  // `range` is kSharedRangeSize bytes, page-aligned, below 2 GiB, already
  // shared with the host; it must outlive the transport.
  GuestPageTransport(const SharedRange& range, Doorbell& doorbell,
                     uint8_t read_back, base::Clock& clock);

  // For who calls Start() again and again: the registrations that are left are
  // spread over the time to `end`, not to the deadline of each Start().
  void SpreadUntil(base::Instant end) { spread_until_ = end; }

  // Starts a new session: empties the page and sends the first registration. A
  // session that nobody has answered yet goes on instead, and costs nothing.
  //   kFailedPrecondition (kNoDoorbell): another value reads back.
  //   kInvalidArgument (kSharedRangeInvalid).
  //   kResourceExhausted: no registration is left. The reason is that for
  //   which the last session ended.
  base::Status Start(base::Instant deadline);
  // One step of waiting for the host; registers again with back-off.
  //   kDeadlineExceeded (kProxyAbsent).
  //   Others: what the host said in kHostStatus.
  base::Result<base::Step> Advance();

  // As long as the session lives; see also ByteStream.
  //   kUnavailable (kProxyRestarted): another daemon answered.
  //   kDataLoss (kRingIndexWild).
  //   kUnavailable (kProxyRefused or the host's reason): it ended the session.
  base::Result<size_t> Read(base::MutableBytes out) override;
  base::Result<size_t> Write(base::Bytes bytes) override;

  // True if the host has looked into the ring since the last call: it lives.
  bool HostLooked();

  // True once the host has ended the session in good order and will write the
  // page no more.
  bool HostLetGo() const;

  // Empties the shared range; the transport is detached then.
  void Scrub();

  bool attached() const { return attached_; }
  uint64_t generation() const { return generation_; }
  // All bytes written to the port, and those that were registrations.
  uint32_t port_writes() const { return port_writes_; }
  uint32_t registration_writes() const { return registration_writes_; }

 private:
  base::Status CheckSameDaemon();
  base::Status CheckStatus();
  void SendRegistration();
  base::Milliseconds PauseAfterRegistration();
  void RingIfWanted();

  SharedRange range_;
  Doorbell& doorbell_;
  base::Clock& clock_;
  const uint8_t read_back_;

  bool attached_ = false;
  bool waiting_ = false;  // for the first answer to registration_
  base::Status broken_;
  Registration registration_;
  uint64_t generation_ = 0;
  uint32_t looks_seen_ = 0;
  uint32_t bells_rung_ = 0;  // of this session
  // Of the boot: nothing sets them back.
  uint32_t registrations_ = 0;
  uint32_t bells_ = 0;
  base::Instant deadline_{};
  base::Instant spread_until_{};  // 0: deadline_
  base::Instant next_registration_{};
  uint32_t port_writes_ = 0;
  uint32_t registration_writes_ = 0;
  RingWriter to_host_;
  RingReader to_guest_;
};

}  // namespace proxy
