// SPDX-License-Identifier: Apache-2.0
#include "host-proxy/session.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "proxy/reasons.h"

namespace host_proxy {
namespace {

namespace channel = proto::channel;
using base::Code;
using base::Result;
using base::Status;
using proxy::FrameType;

constexpr uint32_t kVersion = 1;
constexpr int kFramesPerStep = 16;
constexpr uint32_t kMaxGuestCredit = 1 << 20;

Status Unexpected() {
  return Status(Code::kDataLoss, proxy::kUnexpectedMessage);
}
Status OverCredit() { return Status(Code::kDataLoss, proxy::kCreditExceeded); }

// One for all sessions: the daemon has one thread, and a message is done with
// before the next one is read. So a VM costs no buffer of its own for it.
channel::Arena& Arena() {
  static channel::Arena arena;
  arena.Reset();
  return arena;
}
base::MutableBytes Scratch() {
  static uint8_t scratch[channel::kMaxPayload];
  return scratch;
}

}  // namespace

Session::Session(proxy::FrameChannel& channel, SessionBackend& backend,
                 std::string label, uint64_t generation)
    : channel_(channel),
      backend_(backend),
      label_(std::move(label)),
      generation_(generation) {}

void Session::Reset() {
  for (size_t slot = 0; slot < kMaxStreams; ++slot) Free(slot);
  greeted_ = false;
  finished_ = false;
  last_stream_ = 0;
}

void Session::Free(size_t slot) {
  if (streams_[slot].state == State::kFree) return;
  backend_.Disconnect(slot);
  streams_[slot] = Stream();
}

Session::Stream* Session::Find(uint32_t id, size_t* slot) {
  for (*slot = 0; *slot < kMaxStreams; ++*slot) {
    Stream& stream = streams_[*slot];
    if (stream.state != State::kFree && stream.id == id) return &stream;
  }
  return nullptr;
}

Result<Session::Outcome> Session::Step() {
  BASE_TRY_ASSIGN(const base::Step flushed, channel_.Flush());
  if (flushed == base::Step::kWaiting) return Outcome::kBlocked;
  BASE_TRY_ASSIGN(bool moved, ReceiveFrames());
  if (finished_) return Outcome::kFinished;
  for (size_t slot = 0; slot < kMaxStreams; ++slot) {
    BASE_TRY_ASSIGN(const bool served, ServeStream(slot));
    moved |= served;
  }
  if (moved) return Outcome::kProgress;
  return Writable() ? Outcome::kIdle : Outcome::kBlocked;
}

// --- From the guest.

// Takes a frame only when its answer can be sent.
Result<bool> Session::ReceiveFrames() {
  bool moved = false;
  for (int i = 0; i < kFramesPerStep && Writable() && !finished_; ++i) {
    BASE_TRY_ASSIGN(const std::optional<proxy::Frame> frame,
                    channel_.Receive());
    if (!frame.has_value()) break;
    BASE_TRY(HandleFrame(*frame));
    moved = true;
  }
  return moved;
}

Status Session::HandleFrame(const proxy::Frame& frame) {
  if (frame.type == FrameType::kHello) return HandleHello(frame.body);
  if (!greeted_) return Unexpected();
  switch (frame.type) {
    case FrameType::kOpen:
      return HandleOpen(frame.body);
    case FrameType::kData:
      return HandleData(frame.body);
    case FrameType::kCredit:
      return HandleCredit(frame.body);
    case FrameType::kClose:
      return HandleClose(frame.body);
    case FrameType::kGetCertificates:
      return HandleGetCertificates(frame.body);
    case FrameType::kProgress:
      return HandleProgress(frame.body);
    case FrameType::kPing: {
      BASE_TRY_ASSIGN(const auto ping,
                      channel::Decode<channel::Ping>(frame.body, Arena()));
      return SendMessage(channel_, FrameType::kPong, channel::Pong{ping.token});
    }
    case FrameType::kPong:
      return {};
    case FrameType::kHello:
    case FrameType::kWelcome:
    case FrameType::kOpened:
    case FrameType::kRefused:
    case FrameType::kCertificates:
    case FrameType::kFirmwareAttach:
    case FrameType::kFirmwareSecrets:
    case FrameType::kFirmwareRequest:
    case FrameType::kFirmwareResponse:
      break;
  }
  return Unexpected();
}

Status Session::HandleHello(base::Bytes body) {
  BASE_TRY_ASSIGN(const auto hello,
                  channel::Decode<channel::Hello>(body, Arena()));
  if (greeted_) return Unexpected();
  if (hello.min_version > kVersion || hello.max_version < kVersion) {
    return Status(Code::kFailedPrecondition, proxy::kNoCommonVersion);
  }
  greeted_ = true;
  guest_credit_ = std::min(hello.receive_credit, kMaxGuestCredit);
  max_payload_ = hello.max_body - channel::kDataOverhead;
  backend_.OnHello(hello.vm);
  return SendMessage(channel_, FrameType::kWelcome,
                     channel::Welcome{.version = kVersion,
                                      .max_body = channel::kMaxBody,
                                      .receive_credit = kStreamCredit,
                                      .max_streams = kMaxStreams,
                                      .label = base::AsBytes(label_),
                                      .generation = generation_});
}

Status Session::HandleOpen(base::Bytes body) {
  BASE_TRY_ASSIGN(const auto open,
                  channel::Decode<channel::Open>(body, Arena()));
  if (open.stream <= last_stream_) return Unexpected();
  last_stream_ = open.stream;
  size_t slot = 0;
  while (slot < kMaxStreams && streams_[slot].state != State::kFree) ++slot;
  auto refused = channel::RefusedReason::kTooManyStreams;
  if (slot < kMaxStreams) {
    if (backend_.Connect(slot, open.endpoint)) {
      streams_[slot].state = State::kConnecting;
      streams_[slot].id = open.stream;
      streams_[slot].send_credit = guest_credit_;
      streams_[slot].receive_left = kStreamCredit;
      return {};
    }
    refused = channel::RefusedReason::kUnknownEndpoint;
  }
  return SendMessage(channel_, FrameType::kRefused,
                     channel::Refused{open.stream, refused});
}

Status Session::HandleData(base::Bytes body) {
  BASE_TRY_ASSIGN(const auto data,
                  channel::Decode<channel::Data>(body, Arena()));
  if (data.stream > last_stream_) return Unexpected();
  size_t slot = 0;
  Stream* stream = Find(data.stream, &slot);
  // It crossed our Close on the way.
  if (stream == nullptr) return {};
  if (stream->state != State::kOpen) return Unexpected();
  if (data.payload.size() > stream->receive_left) return OverCredit();
  stream->receive_left -= static_cast<uint32_t>(data.payload.size());
  base::Bytes rest = data.payload;
  if (stream->pending.empty()) {
    const auto written = backend_.Write(slot, rest);
    if (!written.ok()) return EndStream(slot, channel::CloseReason::kReset);
    stream->credit_owed += static_cast<uint32_t>(*written);
    rest = rest.subspan(*written);
  }
  stream->pending.insert(stream->pending.end(), rest.begin(), rest.end());
  return {};
}

Status Session::HandleCredit(base::Bytes body) {
  BASE_TRY_ASSIGN(const auto credit,
                  channel::Decode<channel::Credit>(body, Arena()));
  if (credit.stream > last_stream_) return Unexpected();
  size_t slot = 0;
  Stream* stream = Find(credit.stream, &slot);
  if (stream == nullptr) return {};
  if (credit.bytes > kMaxGuestCredit - stream->send_credit) {
    return OverCredit();
  }
  stream->send_credit += credit.bytes;
  return {};
}

Status Session::HandleClose(base::Bytes body) {
  BASE_TRY_ASSIGN(const auto close,
                  channel::Decode<channel::Close>(body, Arena()));
  if (close.stream == 0) {
    finished_ = true;
    return {};
  }
  if (close.stream > last_stream_) return Unexpected();
  size_t slot = 0;
  Stream* stream = Find(close.stream, &slot);
  if (stream == nullptr) return {};
  if (stream->state == State::kOpen && !stream->pending.empty()) {
    stream->state = State::kClosing;
  } else {
    Free(slot);
  }
  return {};
}

Status Session::HandleGetCertificates(base::Bytes body) {
  BASE_TRY_ASSIGN(const auto request,
                  channel::Decode<channel::GetCertificates>(body, Arena()));
  const std::vector<uint8_t> table =
      backend_.Certificates(request.chip_id, request.tcb);
  return SendMessage(channel_, FrameType::kCertificates,
                     channel::Certificates{table});
}

Status Session::HandleProgress(base::Bytes body) {
  BASE_TRY_ASSIGN(const auto progress,
                  channel::Decode<channel::Progress>(body, Arena()));
  backend_.OnProgress(progress);
  return {};
}

// --- To the guest, and to the connections.

Result<bool> Session::ServeStream(size_t slot) {
  BASE_TRY_ASSIGN(bool moved, WritePending(slot));
  if (!Writable()) return moved;
  BASE_TRY_ASSIGN(const bool answered, AnswerOpen(slot));
  if (!Writable()) return true;
  BASE_TRY_ASSIGN(const bool returned, ReturnCredit(streams_[slot]));
  if (!Writable()) return true;
  BASE_TRY_ASSIGN(const bool read, ReadConnection(slot));
  return moved || answered || returned || read;
}

Result<bool> Session::WritePending(size_t slot) {
  Stream& stream = streams_[slot];
  if (stream.pending.empty()) return false;
  const auto written = backend_.Write(slot, stream.pending);
  if (!written.ok()) {
    if (!Writable()) return false;  // It will fail again next time.
    BASE_TRY(EndStream(slot, channel::CloseReason::kReset));
    return true;
  }
  if (*written == 0) return false;
  stream.credit_owed += static_cast<uint32_t>(*written);
  stream.pending.erase(
      stream.pending.begin(),
      stream.pending.begin() + static_cast<std::ptrdiff_t>(*written));
  if (stream.pending.empty()) {
    stream.pending.shrink_to_fit();
    if (stream.state == State::kClosing) Free(slot);
  }
  return true;
}

Result<bool> Session::AnswerOpen(size_t slot) {
  Stream& stream = streams_[slot];
  if (stream.state == State::kConnected) {
    stream.state = State::kOpen;
    BASE_TRY(
        SendMessage(channel_, FrameType::kOpened, channel::Opened{stream.id}));
    return true;
  }
  if (stream.state == State::kFailed) {
    const uint32_t id = stream.id;
    Free(slot);
    BASE_TRY(SendMessage(
        channel_, FrameType::kRefused,
        channel::Refused{id, channel::RefusedReason::kUnreachable}));
    return true;
  }
  return false;
}

// In halves of the window: one frame for many writes.
Result<bool> Session::ReturnCredit(Stream& stream) {
  if (stream.state != State::kOpen || stream.credit_owed < kStreamCredit / 2) {
    return false;
  }
  const uint32_t bytes = std::exchange(stream.credit_owed, 0);
  stream.receive_left += bytes;
  BASE_TRY(SendMessage(channel_, FrameType::kCredit,
                       channel::Credit{stream.id, bytes}));
  return true;
}

Result<bool> Session::ReadConnection(size_t slot) {
  if (!WantsRead(slot)) return false;
  Stream& stream = streams_[slot];
  const size_t room =
      std::min<size_t>({stream.send_credit, max_payload_, Scratch().size()});
  const auto count = backend_.Read(slot, Scratch().first(room));
  if (!count.ok()) {
    BASE_TRY(EndStream(slot, count.status().reason() == base::kStreamClosed
                                 ? channel::CloseReason::kDone
                                 : channel::CloseReason::kReset));
    return true;
  }
  if (*count == 0) return false;
  stream.send_credit -= static_cast<uint32_t>(*count);
  BASE_TRY(SendMessage(channel_, FrameType::kData,
                       channel::Data{stream.id, Scratch().first(*count)}));
  return true;
}

Status Session::EndStream(size_t slot, channel::CloseReason reason) {
  const bool tell = streams_[slot].state == State::kOpen;
  const uint32_t id = streams_[slot].id;
  Free(slot);
  if (!tell) return {};
  return SendMessage(channel_, FrameType::kClose, channel::Close{id, reason});
}

void Session::OnConnected(size_t slot) {
  if (streams_[slot].state == State::kConnecting) {
    streams_[slot].state = State::kConnected;
  }
}

void Session::OnConnectFailed(size_t slot) {
  if (streams_[slot].state == State::kConnecting) {
    streams_[slot].state = State::kFailed;
  }
}

bool Session::WantsRead(size_t slot) const {
  return streams_[slot].state == State::kOpen && streams_[slot].send_credit > 0;
}

bool Session::WantsWrite(size_t slot) const {
  return !streams_[slot].pending.empty();
}

void Session::AnnounceShutdown() {
  // Nobody is left to hear of a failure.
  (void)SendMessage(channel_, FrameType::kClose,
                    channel::Close{0, channel::CloseReason::kShuttingDown});
}

}  // namespace host_proxy
