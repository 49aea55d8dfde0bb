// SPDX-License-Identifier: Apache-2.0
#include "proxy/frame.h"

#include <string.h>

#include "base/secret_buffer.h"
#include "proxy/crc32.h"
#include "proxy/reasons.h"

namespace proxy {
namespace {

constexpr uint32_t kMagic = 0x31434C46;  // "FLC1"

bool IsKnown(uint8_t type) {
  return (type >= static_cast<uint8_t>(FrameType::kHello) &&
          type <= static_cast<uint8_t>(FrameType::kProgress)) ||
         (type >= static_cast<uint8_t>(FrameType::kFirmwareAttach) &&
          type <= static_cast<uint8_t>(FrameType::kFirmwareResponse));
}

base::Status Malformed(base::Reason reason) {
  return base::Status(base::Code::kDataLoss, reason);
}

}  // namespace

std::array<uint8_t, kFrameHeaderSize> EncodeFrameHeader(
    const FrameHeader& header) {
  std::array<uint8_t, kFrameHeaderSize> bytes{};
  const std::span<uint8_t, kFrameHeaderSize> out(bytes);
  base::StoreLe<uint32_t>(kMagic, out.subspan<0, 4>());
  out[4] = kFrameVersion;
  out[5] = static_cast<uint8_t>(header.type);
  base::StoreLe<uint32_t>(header.length, out.subspan<8, 4>());
  base::StoreLe<uint32_t>(Crc32(out.first<12>()), out.subspan<12, 4>());
  return bytes;
}

base::Result<FrameHeader> ParseFrameHeader(
    std::span<const uint8_t, kFrameHeaderSize> bytes) {
  if (base::LoadLe<uint32_t>(bytes.subspan<0, 4>()) != kMagic) {
    return Malformed(kFrameBadMagic);
  }
  if (base::LoadLe<uint32_t>(bytes.subspan<12, 4>()) !=
      Crc32(bytes.first<12>())) {
    return Malformed(kFrameBadChecksum);
  }
  if (bytes[4] != kFrameVersion ||
      base::LoadLe<uint16_t>(bytes.subspan<6, 2>()) != 0) {
    return Malformed(kFrameBadFlags);
  }
  if (!IsKnown(bytes[5])) return Malformed(kFrameUnknownType);
  const FrameHeader header = {
      .type = static_cast<FrameType>(bytes[5]),
      .length = base::LoadLe<uint32_t>(bytes.subspan<8, 4>()),
  };
  if (header.length > kMaxFrameBody) return Malformed(kFrameTooLong);
  return header;
}

void FrameChannel::WipeReceived() {
  // Not while a next frame is half read.
  if (received_ == 0) base::SecureZero(in_, sizeof(in_));
}

void FrameChannel::Reset() {
  broken_ = {};
  received_ = 0;
  header_parsed_ = false;
  sent_ = 0;
  to_send_ = 0;
}

// Reads until in_ holds `size` bytes of this frame.
base::Result<base::Step> FrameChannel::FillTo(size_t size) {
  while (received_ < size) {
    BASE_TRY_ASSIGN(const size_t count,
                    stream_.Read(base::MutableBytes(in_).subspan(
                        received_, size - received_)));
    if (count == 0) return base::Step::kWaiting;
    received_ += count;
  }
  return base::Step::kDone;
}

base::Result<std::optional<Frame>> FrameChannel::Receive() {
  if (!broken_.ok()) return broken_;
  const auto receive = [this]() -> base::Result<std::optional<Frame>> {
    if (!header_parsed_) {
      BASE_TRY_ASSIGN(const base::Step step, FillTo(kFrameHeaderSize));
      if (step == base::Step::kWaiting) return std::optional<Frame>();
      BASE_TRY_ASSIGN(header_, ParseFrameHeader(
                                   base::Bytes(in_).first<kFrameHeaderSize>()));
      header_parsed_ = true;
    }
    BASE_TRY_ASSIGN(const base::Step step,
                    FillTo(kFrameHeaderSize + header_.length));
    if (step == base::Step::kWaiting) return std::optional<Frame>();
    received_ = 0;
    header_parsed_ = false;
    return std::optional<Frame>(
        Frame{header_.type,
              base::Bytes(in_).subspan(kFrameHeaderSize, header_.length)});
  };
  auto frame = receive();
  if (!frame.ok()) broken_ = frame.status();
  return frame;
}

base::Result<base::Step> FrameChannel::Flush() {
  if (!broken_.ok()) return broken_;
  while (sent_ < to_send_) {
    const auto count =
        stream_.Write(base::Bytes(out_).subspan(sent_, to_send_ - sent_));
    if (!count.ok()) {
      broken_ = count.status();
      return broken_;
    }
    if (*count == 0) return base::Step::kWaiting;
    sent_ += *count;
  }
  sent_ = 0;
  to_send_ = 0;
  return base::Step::kDone;
}

base::Result<base::MutableBytes> FrameChannel::BeginSend() {
  BASE_TRY_ASSIGN(const base::Step step, Flush());
  if (step == base::Step::kWaiting) {
    return base::Status(base::Code::kUnavailable, kSendBusy);
  }
  return base::MutableBytes(out_).subspan(kFrameHeaderSize);
}

base::Status FrameChannel::CommitSend(FrameType type, size_t size) {
  if (size > kMaxFrameBody) __builtin_trap();  // The caller's bug.
  const auto header =
      EncodeFrameHeader({.type = type, .length = static_cast<uint32_t>(size)});
  memcpy(out_, header.data(), header.size());
  sent_ = 0;
  to_send_ = kFrameHeaderSize + size;
  return base::StatusOf(Flush());
}

base::Status FrameChannel::Send(FrameType type, base::Bytes body) {
  if (body.size() > kMaxFrameBody) {
    return base::Status(base::Code::kInvalidArgument, kFrameTooLong);
  }
  BASE_TRY_ASSIGN(const base::MutableBytes place, BeginSend());
  if (!body.empty()) memcpy(place.data(), body.data(), body.size());
  return CommitSend(type, body.size());
}

}  // namespace proxy
