// SPDX-License-Identifier: Apache-2.0
//
// ByteStream: a pipe that never waits. Everything that speaks a protocol is a
// state machine over one of these, so it runs the same over a ring in shared
// memory, a socket in a host test, or TLS over either.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/result.h"

namespace base {

class ByteStream {
 public:
  // Moves up to out.size() bytes and returns how many; 0 means none are here
  // yet. `out` is not empty.
  //   kUnavailable (kStreamClosed): the peer closed and all it sent was read.
  //   Others: the stream is broken; every later call fails too.
  virtual Result<size_t> Read(MutableBytes out) = 0;

  // Takes up to bytes.size() bytes and returns how many; 0 means there is no
  // room yet. Errors as for Read.
  virtual Result<size_t> Write(Bytes bytes) = 0;

 protected:
  ByteStream() = default;
  ~ByteStream() = default;  // Not virtual: never deleted through the interface.
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;
};

// What one step of a state machine came to.
enum class Step : uint8_t {
  kWaiting,  // Nothing more to do until bytes arrive, or room appears.
  kDone,
};

}  // namespace base
