// SPDX-License-Identifier: Apache-2.0
//
// Frames: a 16-byte header and a protobuf body (docs/channel.md, "Frames").
//
//   0 magic "FLC1"   4 version u8 (1)   5 type u8   6 flags u16 (0)
//   8 body length u32                   12 CRC-32 of bytes 0..11
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <optional>
#include <span>

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"
#include "proto/channel.h"

namespace proxy {

inline constexpr size_t kFrameHeaderSize = 16;
inline constexpr size_t kMaxFrameBody = proto::channel::kMaxBody;
inline constexpr uint8_t kFrameVersion = 1;

enum class FrameType : uint8_t {
  kHello = 1,
  kWelcome = 2,
  kPing = 3,
  kPong = 4,
  kOpen = 5,
  kOpened = 6,
  kRefused = 7,
  kData = 8,
  kCredit = 9,
  kClose = 10,
  kGetCertificates = 11,
  kCertificates = 12,
  kProgress = 13,
  // Second channel only.
  kFirmwareAttach = 32,
  kFirmwareSecrets = 33,
  kFirmwareRequest = 34,
  kFirmwareResponse = 35,
};

struct FrameHeader {
  FrameType type = FrameType::kHello;
  uint32_t length = 0;  // of the body, at most kMaxFrameBody
};

std::array<uint8_t, kFrameHeaderSize> EncodeFrameHeader(
    const FrameHeader& header);
// kDataLoss: kFrameBadMagic, kFrameBadChecksum, kFrameBadFlags,
// kFrameUnknownType, kFrameTooLong.
base::Result<FrameHeader> ParseFrameHeader(
    std::span<const uint8_t, kFrameHeaderSize> bytes);

struct Frame {
  FrameType type;
  base::Bytes body;  // valid until the next Receive()
};

// Frames over a byte stream that never waits; both sides use it. 33 KiB.
// After an error other than kSendBusy the channel stays broken.
class FrameChannel {
 public:
  explicit FrameChannel(base::ByteStream& stream) : stream_(stream) {}
  FrameChannel(const FrameChannel&) = delete;
  FrameChannel& operator=(const FrameChannel&) = delete;

  // Forgets all half-read and half-written frames: a new session begins.
  void Reset();

  // The next frame, or nothing if it is not all here yet.
  base::Result<std::optional<Frame>> Receive();

  // Zeroes what Receive() returned last, for frames that carry a key.
  void WipeReceived();

  // Writes what is left of the last frame. kWaiting: the peer must read first.
  base::Result<base::Step> Flush();

  // Where to put the body of the next frame: kMaxFrameBody bytes.
  //   kUnavailable (kSendBusy): the last frame is not flushed yet.
  base::Result<base::MutableBytes> BeginSend();
  // Sends the first `size` bytes of it.
  base::Status CommitSend(FrameType type, size_t size);
  // All of it for a body that exists already.
  base::Status Send(FrameType type, base::Bytes body);

  bool idle() const { return sent_ == to_send_; }

 private:
  base::Result<base::Step> FillTo(size_t size);

  base::ByteStream& stream_;
  base::Status broken_;
  size_t received_ = 0;
  FrameHeader header_;
  bool header_parsed_ = false;
  size_t sent_ = 0;
  size_t to_send_ = 0;
  uint8_t in_[kFrameHeaderSize + kMaxFrameBody];
  uint8_t out_[kFrameHeaderSize + kMaxFrameBody];
};

// Encodes a message straight into the channel's buffer and sends it.
template <typename Message>
base::Status SendMessage(FrameChannel& channel, FrameType type,
                         const Message& message) {
  BASE_TRY_ASSIGN(const base::MutableBytes body, channel.BeginSend());
  BASE_TRY_ASSIGN(const size_t size, proto::channel::Encode(message, body));
  return channel.CommitSend(type, size);
}

}  // namespace proxy
