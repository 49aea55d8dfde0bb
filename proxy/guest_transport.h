// SPDX-License-Identifier: Apache-2.0
//
// The guest's end of the page transport (docs/channel.md, "The page").
//
// A ByteStream once attached. It rings the doorbell by itself, once, when the
// host has said that it is about to sleep, and never again until the host asks
// for the next one. Everything in the page is the host's word.
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

class GuestPageTransport final : public base::ByteStream {
 public:
  // `range` is kSharedRangeSize bytes, page-aligned, below 2 GiB, already
  // shared with the host; it must outlive the transport.
  GuestPageTransport(const SharedRange& range, Doorbell& doorbell,
                     uint8_t read_back, base::Clock& clock);

  // Starts a new session: empties the page and sends the first registration.
  //   kFailedPrecondition (kNoDoorbell): another value reads back.
  //   kInvalidArgument (kSharedRangeInvalid).
  base::Status Start(base::Instant deadline);
  // One step of waiting for the host; registers again with back-off, at most
  // kMaxUnansweredRegistrations times.
  //   kDeadlineExceeded (kProxyAbsent).
  //   Others: what the host said in kHostStatus.
  base::Result<base::Step> Advance();

  // As long as the session lives; see also ByteStream.
  //   kUnavailable (kProxyRestarted): another daemon answered.
  //   kDataLoss (kRingIndexWild).
  //   kUnavailable (kProxyRefused or the host's reason): it ended the session.
  base::Result<size_t> Read(base::MutableBytes out) override;
  base::Result<size_t> Write(base::Bytes bytes) override;

  // Sends the registration of this session again, to find out whether the
  // daemon still lives: a new one answers with another generation. Does
  // nothing when too many are unanswered.
  void Probe();
  // True if every registration that was sent has been seen by the host.
  bool ProbeAnswered();

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
  void RingIfWanted();

  SharedRange range_;
  Doorbell& doorbell_;
  base::Clock& clock_;
  const uint8_t read_back_;

  bool attached_ = false;
  base::Status broken_;
  Registration registration_;
  uint64_t generation_ = 0;
  uint32_t records_sent_ = 0;  // of this session
  uint32_t records_seen_ = 0;  // by the host, as last read
  uint32_t unanswered_ = 0;    // registrations, of all sessions
  uint32_t bells_rung_ = 0;
  base::Instant deadline_{};
  base::Instant next_registration_{};
  uint32_t port_writes_ = 0;
  uint32_t registration_writes_ = 0;
  RingWriter to_host_;
  RingReader to_guest_;
};

}  // namespace proxy
