// SPDX-License-Identifier: Apache-2.0
//
// One message at a time over a byte stream: a 32-bit little-endian length, then
// the message. Never waits; the buffer is the caller's.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"

namespace attest {

class MessageSender {
 public:
  // `body` must stay as it is until Advance() returns kDone.
  void Start(base::Bytes body);
  base::Result<base::Step> Advance(base::ByteStream& stream);

 private:
  std::array<uint8_t, 4> prefix_ = {};
  base::Bytes body_;
  size_t sent_ = 0;  // bytes of prefix and body
};

class MessageReceiver {
 public:
  // The message goes to `buffer`, whose size is the limit.
  void Start(base::MutableBytes buffer);
  // Reads no byte beyond the message.
  //   kDataLoss (kMessageLength): the length is 0 or over the limit.
  //   The stream's own errors.
  base::Result<base::Step> Advance(base::ByteStream& stream);
  base::Bytes message() const { return buffer_.first(size_); }  // once kDone

 private:
  std::array<uint8_t, 4> prefix_ = {};
  size_t received_ = 0;  // bytes of prefix and message
  size_t size_ = 0;
  base::MutableBytes buffer_;
};

}  // namespace attest
