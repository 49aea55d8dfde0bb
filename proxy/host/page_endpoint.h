// SPDX-License-Identifier: Apache-2.0
//
// The host's end of the page transport for one VM: registrations and doorbells
// come in as bytes from QEMU's chardev, frames go over the rings.
//
// Not tied to an event loop. The owner
//   1. gives every byte that it reads from QEMU to Feed();
//   2. calls Look() and, if that says false, Detach(); exchanges frames by
//      channel() until that has nothing to do;
//   3. calls PrepareToSleep(); if it says false, goes back to 2;
//   4. waits for bytes from QEMU (or for its other events).
// A wake-up cannot be lost: PrepareToSleep() asks the guest for a doorbell
// first and looks into the ring afterwards.
//
// The owner must also come back by a timer, kLookAgain at the latest: a guest
// does not ring when it has read, rings kBellsPerBoot times a boot at most, and
// takes a daemon that does not look for dead.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"
#include "proxy/frame.h"
#include "proxy/host/ram_file.h"
#include "proxy/host/registration_parser.h"
#include "proxy/ring.h"

namespace proxy::host {

inline constexpr std::chrono::milliseconds kLookAgain{250};

class PageEndpoint final : private base::ByteStream {
 public:
  // `generation` is not 0 and differs between runs of the daemon.
  PageEndpoint(std::string ram_path, uint64_t generation);
  // For a guest whose RAM is not a file.
  using Mapper = std::function<base::Result<std::unique_ptr<MappedRange>>(
      const Registration&)>;
  PageEndpoint(Mapper map, uint64_t generation);

  enum class Event : uint8_t {
    kNothing,   // Bytes of a record, or noise.
    kDoorbell,  // Look into the ring.
    kAttached,  // A new session: forget the old one. channel() is reset.
    kRejected,  // A registration that cannot be; see last_error().
  };
  // Takes one byte from QEMU. A repeated registration of the living session is
  // acknowledged and is otherwise nothing.
  Event Feed(uint8_t byte);

  // Frames of the session; valid if attached(). Errors end the session: call
  // Detach() with them. After each use, lost() says whether the RAM file
  // shrank under it.
  FrameChannel& channel() { return channel_; }
  bool attached() const { return mapped_ != nullptr; }
  bool lost() const { return mapped_ != nullptr && mapped_->lost(); }

  // False: the VM was reset, or its guest has taken the page back (or nothing
  // is attached). The memory is somebody else's then, and nothing of ours is
  // written there: channel() fails with kNotConnected, Detach() only unmaps.
  // A guest can do that at any moment, so each use of the page asks again.
  bool StillOurs() const;
  // As StillOurs(), once at the start of each turn; tells the guest that we
  // live.
  bool Look();

  // False: the ring has bytes, go on. True: sleep, the guest will ring (if it
  // has a bell left), or StillOurs() is false.
  //   kDataLoss (kRingIndexWild).
  base::Result<bool> PrepareToSleep();

  // Ends the session and tells the guest why, if StillOurs(). Maps nothing any
  // more.
  // OK: the guest asked for it and takes its page back. Feed() all that can be
  // read from QEMU before: an old registration that came later would make us
  // write to memory that is no longer a channel.
  void Detach(base::Status why);

  base::Status last_error() const { return last_error_; }
  const Registration& registration() const { return registration_; }

 private:
  base::Result<size_t> Read(base::MutableBytes out) override;
  base::Result<size_t> Write(base::Bytes bytes) override;
  Event Attach(const RegistrationRecord& record);

  const Mapper map_;
  const uint64_t generation_;
  RegistrationParser parser_;
  Registration registration_;
  std::unique_ptr<MappedRange> mapped_;
  bool bell_asked_ = false;  // and no doorbell came since
  uint32_t records_seen_ = 0;
  uint32_t looks_ = 0;
  base::Status last_error_;
  RingReader to_host_;
  RingWriter to_guest_;
  FrameChannel channel_{*this};
};

}  // namespace proxy::host
