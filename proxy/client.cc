// SPDX-License-Identifier: Apache-2.0
#include "proxy/client.h"

#include <string.h>

#include <algorithm>

#include "base/secret_buffer.h"
#include "proxy/reasons.h"

namespace proxy {
namespace {

namespace channel = proto::channel;
using base::Code;
using base::Instant;
using base::Status;

constexpr uint32_t kVersion = 1;
// So many frames in one Poll() at most: a host that never stops sending must
// not keep the caller from its deadline.
constexpr int kFramesPerPoll = 16;
constexpr uint32_t kMaxSendCredit = 1 << 20;

Status Unexpected() { return Status(Code::kDataLoss, kUnexpectedMessage); }

Status StatusOf(channel::RefusedReason reason) {
  switch (reason) {
    case channel::RefusedReason::kUnknownEndpoint:
      return Status(Code::kNotFound, kEndpointUnknown);
    case channel::RefusedReason::kUnreachable:
      return Status(Code::kUnavailable, kEndpointUnreachable);
    case channel::RefusedReason::kTooManyStreams:
      return Status(Code::kUnavailable, kTooManyStreams);
    case channel::RefusedReason::kShuttingDown:
      return Status(Code::kUnavailable, kProxyShuttingDown);
    case channel::RefusedReason::kUnspecified:
      break;
  }
  return Status(Code::kUnavailable, kProxyRefused);
}

Status StatusOf(channel::CloseReason reason) {
  switch (reason) {
    case channel::CloseReason::kDone:
      return Status(Code::kUnavailable, base::kStreamClosed);
    case channel::CloseReason::kShuttingDown:
      return Status(Code::kUnavailable, kProxyShuttingDown);
    case channel::CloseReason::kProtocol:
      return Status(Code::kUnavailable, kProxyRefused);
    case channel::CloseReason::kReset:
    case channel::CloseReason::kUnspecified:
      break;
  }
  return Status(Code::kUnavailable, kStreamReset);
}

}  // namespace

Client::Client(GuestPageTransport& transport, base::Clock& clock)
    : link_(transport, clock), clock_(clock) {}

Status Client::Fail(Status status) {
  if (broken_.ok() && !status.ok()) broken_ = status;
  return status;
}

Status Client::Connect(base::Bytes vm, Instant deadline) {
  connected_ = false;
  broken_ = {};
  stream_state_ = StreamState::kNone;
  stream_id_ = 0;
  certificates_pending_ = false;
  certificates_late_ = 0;
  const auto connect = [&]() -> Status {
    BASE_TRY(link_.Attach(deadline));
    BASE_TRY(
        link_.SendMessage(FrameType::kHello,
                          channel::Hello{kVersion, kVersion, channel::kMaxBody,
                                         kReceiveCredit, vm},
                          deadline));
    BASE_TRY_ASSIGN(const Frame frame,
                    link_.ReceiveType(FrameType::kWelcome, deadline));
    arena_.Reset();
    BASE_TRY_ASSIGN(const auto welcome,
                    channel::Decode<channel::Welcome>(frame.body, arena_));
    if (welcome.version != kVersion) {
      return Status(Code::kFailedPrecondition, kNoCommonVersion);
    }
    if (welcome.generation != link_.transport().generation()) {
      return Unexpected();
    }
    peer_max_payload_ = welcome.max_body - channel::kDataOverhead;
    peer_credit_ = std::min(welcome.receive_credit, kMaxSendCredit);
    connected_ = true;
    return {};
  };
  return Fail(connect());
}

Status Client::Poll() {
  if (!broken_.ok()) return broken_;
  if (!connected_) return Status(Code::kFailedPrecondition, kNotConnected);
  for (int i = 0; i < kFramesPerPoll; ++i) {
    const auto frame = link_.Poll();
    if (!frame.ok()) return Fail(frame.status());
    if (!frame->has_value()) return {};
    BASE_TRY(Fail(HandleFrame(**frame)));
  }
  return {};
}

Status Client::HandleFrame(const Frame& frame) {
  arena_.Reset();
  switch (frame.type) {
    case FrameType::kData:
      return HandleData(frame.body);
    case FrameType::kCredit:
      return HandleCredit(frame.body);
    case FrameType::kClose:
      return HandleClose(frame.body);
    case FrameType::kOpened:
    case FrameType::kRefused:
      return HandleOpenReply(frame);
    case FrameType::kCertificates:
      return HandleCertificates(frame.body);
    case FrameType::kPing: {
      BASE_TRY_ASSIGN(const auto ping,
                      channel::Decode<channel::Ping>(frame.body, arena_));
      const Status sent = SendMessage(link_.channel(), FrameType::kPong,
                                      channel::Pong{ping.token});
      // A host that asks faster than it reads gets no answer.
      return sent.reason() == kSendBusy ? Status() : sent;
    }
    case FrameType::kPong:
      return {};
    case FrameType::kHello:
    case FrameType::kWelcome:
    case FrameType::kOpen:
    case FrameType::kGetCertificates:
    case FrameType::kProgress:
    case FrameType::kFirmwareAttach:
    case FrameType::kFirmwareSecrets:
    case FrameType::kFirmwareRequest:
    case FrameType::kFirmwareResponse:
      break;
  }
  return Unexpected();
}

// --- The stream.

// True for the stream that is open now. Frames of an older one may still be
// under way and are ignored; one that never was is an error (0).
base::Result<bool> Client::IsCurrent(uint32_t stream) const {
  if (stream == 0 || stream > stream_id_) return Unexpected();
  return stream == stream_id_ && stream_state_ == StreamState::kOpen;
}

Status Client::HandleData(base::Bytes body) {
  BASE_TRY_ASSIGN(const auto data,
                  channel::Decode<channel::Data>(body, arena_));
  BASE_TRY_ASSIGN(const bool current, IsCurrent(data.stream));
  if (!current) return {};
  if (data.payload.size() > receive_left_) {
    return Status(Code::kDataLoss, kCreditExceeded);
  }
  receive_left_ -= static_cast<uint32_t>(data.payload.size());
  for (const uint8_t byte : data.payload) {
    buffer_[buffer_head_++ % kReceiveCredit] = byte;
  }
  return {};
}

Status Client::HandleCredit(base::Bytes body) {
  BASE_TRY_ASSIGN(const auto credit,
                  channel::Decode<channel::Credit>(body, arena_));
  BASE_TRY_ASSIGN(const bool current, IsCurrent(credit.stream));
  if (!current) return {};
  if (credit.bytes > kMaxSendCredit - send_credit_) {
    return Status(Code::kDataLoss, kCreditExceeded);
  }
  send_credit_ += credit.bytes;
  return {};
}

Status Client::HandleClose(base::Bytes body) {
  BASE_TRY_ASSIGN(const auto close,
                  channel::Decode<channel::Close>(body, arena_));
  if (close.stream == 0) return StatusOf(close.reason);  // The whole session.
  BASE_TRY_ASSIGN(const bool current, IsCurrent(close.stream));
  if (current) {
    stream_state_ = StreamState::kEnded;
    stream_end_ = StatusOf(close.reason);
  }
  return {};
}

Status Client::HandleOpenReply(const Frame& frame) {
  uint32_t stream = 0;
  Status refused;
  if (frame.type == FrameType::kOpened) {
    BASE_TRY_ASSIGN(const auto opened,
                    channel::Decode<channel::Opened>(frame.body, arena_));
    stream = opened.stream;
  } else {
    BASE_TRY_ASSIGN(const auto reply,
                    channel::Decode<channel::Refused>(frame.body, arena_));
    stream = reply.stream;
    refused = StatusOf(reply.reason);
  }
  if (stream == 0 || stream > stream_id_) return Unexpected();
  // Given up meanwhile.
  if (stream < stream_id_ || stream_state_ == StreamState::kEnded) return {};
  if (stream_state_ != StreamState::kOpening) return Unexpected();
  stream_state_ = refused.ok() ? StreamState::kOpen : StreamState::kEnded;
  stream_end_ = refused;
  return {};
}

Status Client::OpenStream(base::Bytes endpoint, Instant deadline) {
  BASE_TRY(Poll());
  if (stream_state_ == StreamState::kOpen) CloseStream(deadline);
  ++stream_id_;
  send_credit_ = peer_credit_;
  receive_left_ = kReceiveCredit;
  consumed_ = 0;
  buffer_head_ = 0;
  buffer_tail_ = 0;
  BASE_TRY(Fail(link_.SendMessage(
      FrameType::kOpen, channel::Open{stream_id_, endpoint}, deadline)));
  stream_state_ = StreamState::kOpening;
  while (stream_state_ == StreamState::kOpening) {
    BASE_TRY(Poll());
    if (stream_state_ != StreamState::kOpening) break;
    if (clock_.Passed(deadline)) {
      CloseStream(deadline);
      return Status(Code::kDeadlineExceeded, base::kDeadlinePassed);
    }
    clock_.Relax();
  }
  return stream_state_ == StreamState::kOpen ? Status() : stream_end_;
}

void Client::CloseStream(Instant deadline) {
  if (stream_state_ == StreamState::kOpen ||
      stream_state_ == StreamState::kOpening) {
    // Best effort: the stream is over for us in any case.
    (void)Fail(link_.SendMessage(
        FrameType::kClose,
        channel::Close{stream_id_, channel::CloseReason::kDone}, deadline));
  }
  stream_state_ = StreamState::kEnded;
  stream_end_ = Status(Code::kUnavailable, base::kStreamClosed);
}

// Gives credit back in halves of the window: one frame for many reads.
Status Client::ReturnCredit() {
  if (consumed_ < kReceiveCredit / 2 || stream_state_ != StreamState::kOpen) {
    return {};
  }
  const Status sent = SendMessage(link_.channel(), FrameType::kCredit,
                                  channel::Credit{stream_id_, consumed_});
  if (sent.reason() == kSendBusy) return {};  // At the next read.
  BASE_TRY(Fail(sent));
  receive_left_ += consumed_;
  consumed_ = 0;
  return {};
}

base::Result<size_t> Client::StreamRead(base::MutableBytes out) {
  // What is here already is delivered even if the channel broke behind it.
  const Status polled = Poll();
  const size_t count = std::min(out.size(), buffer_head_ - buffer_tail_);
  for (size_t i = 0; i < count; ++i) {
    out[i] = buffer_[buffer_tail_++ % kReceiveCredit];
  }
  if (count == 0) {
    BASE_TRY(polled);
    if (stream_state_ == StreamState::kOpen) return size_t{0};
    if (stream_state_ == StreamState::kEnded) return stream_end_;
    return Status(Code::kFailedPrecondition, kNotConnected);
  }
  consumed_ += static_cast<uint32_t>(count);
  if (polled.ok()) BASE_TRY(ReturnCredit());
  return count;
}

base::Result<size_t> Client::StreamWrite(base::Bytes bytes) {
  BASE_TRY(Poll());
  if (stream_state_ == StreamState::kEnded) return stream_end_;
  if (stream_state_ != StreamState::kOpen) {
    return Status(Code::kFailedPrecondition, kNotConnected);
  }
  const size_t count = std::min<size_t>(
      {bytes.size(), send_credit_, peer_max_payload_, channel::kMaxPayload});
  if (count == 0) return size_t{0};
  const Status sent =
      SendMessage(link_.channel(), FrameType::kData,
                  channel::Data{stream_id_, bytes.first(count)});
  if (sent.reason() == kSendBusy) return size_t{0};
  BASE_TRY(Fail(sent));
  send_credit_ -= static_cast<uint32_t>(count);
  return count;
}

base::Result<size_t> Client::Stream::Read(base::MutableBytes out) {
  return client_.StreamRead(out);
}
base::Result<size_t> Client::Stream::Write(base::Bytes bytes) {
  return client_.StreamWrite(bytes);
}

// --- The rest.

Status Client::HandleCertificates(base::Bytes body) {
  if (certificates_late_ > 0) {
    --certificates_late_;
    return {};
  }
  if (!certificates_pending_) return Unexpected();
  certificates_pending_ = false;
  BASE_TRY_ASSIGN(const auto reply,
                  channel::Decode<channel::Certificates>(body, arena_));
  if (reply.table.size() > certificates_out_.size()) {
    certificates_size_ = Status(Code::kResourceExhausted, base::kBufferFull);
    return {};
  }
  if (!reply.table.empty()) {
    memcpy(certificates_out_.data(), reply.table.data(), reply.table.size());
  }
  certificates_size_ = reply.table.size();
  return {};
}

base::Result<size_t> Client::GetCertificates(
    std::span<const uint8_t, channel::kChipIdSize> chip_id, uint64_t tcb,
    base::MutableBytes out, Instant deadline) {
  BASE_TRY(Poll());
  BASE_TRY(Fail(link_.SendMessage(FrameType::kGetCertificates,
                                  channel::GetCertificates{chip_id, tcb},
                                  deadline)));
  certificates_out_ = out;
  certificates_pending_ = true;
  for (;;) {
    BASE_TRY(Poll());
    if (!certificates_pending_) return certificates_size_;
    if (clock_.Passed(deadline)) {
      certificates_out_ = {};
      certificates_pending_ = false;
      ++certificates_late_;  // Answers come in the order of the questions.
      return Status(Code::kDeadlineExceeded, base::kDeadlinePassed);
    }
    clock_.Relax();
  }
}

Status Client::SendProgress(const channel::Progress& progress,
                            Instant deadline) {
  BASE_TRY(Poll());
  return Fail(link_.SendMessage(FrameType::kProgress, progress, deadline));
}

void Client::Close(Instant deadline) {
  link_.Close(deadline);
  arena_.Reset();
  base::SecureZero(buffer_, sizeof(buffer_));
  connected_ = false;
  stream_state_ = StreamState::kNone;
}

}  // namespace proxy
