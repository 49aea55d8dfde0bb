// SPDX-License-Identifier: Apache-2.0
#include "proto/channel.h"

#include "proto/channel.pb-c.h"
#include "proto/name.h"
#include "proto/pbc.h"
#include "proto/reasons.h"
#include "proto/wire_enum.h"

namespace proto::channel {
namespace {

using base::Bytes;
using base::Code;
using base::MutableBytes;
using base::Result;
using base::Status;
using pbc::View;

Status Invalid() { return Status(Code::kDataLoss, kChannelFieldInvalid); }

// What each may be when it is received: a phase is never unspecified.
constexpr RefusedReason kRefusedReasons[] = {
    RefusedReason::kUnspecified, RefusedReason::kUnknownEndpoint,
    RefusedReason::kUnreachable, RefusedReason::kTooManyStreams,
    RefusedReason::kShuttingDown};
constexpr CloseReason kCloseReasons[] = {
    CloseReason::kUnspecified, CloseReason::kDone, CloseReason::kReset,
    CloseReason::kProtocol, CloseReason::kShuttingDown};
constexpr Phase kPhases[] = {
    Phase::kStarted, Phase::kMeasured, Phase::kConnected, Phase::kAttested,
    Phase::kGranted, Phase::kRefused,  Phase::kFailed,    Phase::kHandingOver};

// `size` bytes, or none where that is allowed.
Status ExpectSize(Bytes bytes, size_t size) {
  return bytes.size() == size ? Status() : Invalid();
}

Result<size_t> Pack(const ProtobufCMessage& message, MutableBytes out) {
  return pbc::Pack(message, kMaxBody, out);
}

// The unpacked message, or nullptr. Fields that are not known are ignored.
template <typename Pb>
const Pb* Unpack(const ProtobufCMessageDescriptor& descriptor, Bytes body,
                 ArenaBase& arena) {
  if (body.size() > kMaxBody) return nullptr;
  return pbc::Unpack<Pb>(descriptor, body, arena);
}

bool IsPrintable(Bytes text) {
  for (const uint8_t c : text) {
    if (c < 0x20 || c > 0x7E) return false;
  }
  return true;
}

}  // namespace

// Unpacks `body` as message type `Name` into `pb`, or returns.
#define CHANNEL_UNPACK(Name, name)                           \
  const auto* pb = Unpack<Forelock__Channel__##Name>(        \
      forelock__channel__##name##__descriptor, body, arena); \
  if (pb == nullptr) return Status(Code::kDataLoss, kChannelMessageMalformed)

// A message of type `Name` to fill.
#define CHANNEL_MESSAGE(Name, NAME) \
  Forelock__Channel__##Name pb = FORELOCK__CHANNEL__##NAME##__INIT

Result<size_t> Encode(const Hello& message, MutableBytes out) {
  CHANNEL_MESSAGE(Hello, HELLO);
  pb.min_version = message.min_version;
  pb.max_version = message.max_version;
  pb.max_body = message.max_body;
  pb.receive_credit = message.receive_credit;
  pb.vm = pbc::Data(message.vm);
  return Pack(pb.base, out);
}
template <>
Result<Hello> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(Hello, hello);
  if (pb->min_version > pb->max_version || pb->max_body > kMaxBody ||
      pb->max_body <= kDataOverhead || !HasNameForm(View(pb->vm))) {
    return Invalid();
  }
  return Hello{pb->min_version, pb->max_version, pb->max_body,
               pb->receive_credit, View(pb->vm)};
}

Result<size_t> Encode(const Welcome& message, MutableBytes out) {
  CHANNEL_MESSAGE(Welcome, WELCOME);
  pb.version = message.version;
  pb.max_body = message.max_body;
  pb.receive_credit = message.receive_credit;
  pb.max_streams = message.max_streams;
  pb.label = pbc::Data(message.label);
  pb.generation = message.generation;
  return Pack(pb.base, out);
}
template <>
Result<Welcome> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(Welcome, welcome);
  if (pb->max_body > kMaxBody || pb->max_body <= kDataOverhead ||
      pb->generation == 0 || !HasNameForm(View(pb->label))) {
    return Invalid();
  }
  return Welcome{pb->version,     pb->max_body,    pb->receive_credit,
                 pb->max_streams, View(pb->label), pb->generation};
}

Result<size_t> Encode(const Ping& message, MutableBytes out) {
  CHANNEL_MESSAGE(Ping, PING);
  pb.token = message.token;
  return Pack(pb.base, out);
}
template <>
Result<Ping> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(Ping, ping);
  return Ping{pb->token};
}

Result<size_t> Encode(const Pong& message, MutableBytes out) {
  CHANNEL_MESSAGE(Pong, PONG);
  pb.token = message.token;
  return Pack(pb.base, out);
}
template <>
Result<Pong> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(Pong, pong);
  return Pong{pb->token};
}

Result<size_t> Encode(const Open& message, MutableBytes out) {
  CHANNEL_MESSAGE(Open, OPEN);
  pb.stream = message.stream;
  pb.endpoint = pbc::Data(message.endpoint);
  return Pack(pb.base, out);
}
template <>
Result<Open> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(Open, open);
  if (pb->stream == 0 || !HasNameForm(View(pb->endpoint))) return Invalid();
  return Open{pb->stream, View(pb->endpoint)};
}

Result<size_t> Encode(const Opened& message, MutableBytes out) {
  CHANNEL_MESSAGE(Opened, OPENED);
  pb.stream = message.stream;
  return Pack(pb.base, out);
}
template <>
Result<Opened> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(Opened, opened);
  if (pb->stream == 0) return Invalid();
  return Opened{pb->stream};
}

Result<size_t> Encode(const Refused& message, MutableBytes out) {
  CHANNEL_MESSAGE(Refused, REFUSED);
  pb.stream = message.stream;
  pb.reason = NumberOf(message.reason);
  return Pack(pb.base, out);
}
template <>
Result<Refused> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(Refused, refused);
  const auto reason = EnumOf(pb->reason, kRefusedReasons);
  if (pb->stream == 0 || !reason) return Invalid();
  return Refused{pb->stream, *reason};
}

Result<size_t> Encode(const Data& message, MutableBytes out) {
  CHANNEL_MESSAGE(Data, DATA);
  pb.stream = message.stream;
  pb.payload = pbc::Data(message.payload);
  return Pack(pb.base, out);
}
template <>
Result<Data> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(Data, data);
  if (pb->stream == 0 || pb->payload.len == 0 ||
      pb->payload.len > kMaxPayload) {
    return Invalid();
  }
  return Data{pb->stream, View(pb->payload)};
}

Result<size_t> Encode(const Credit& message, MutableBytes out) {
  CHANNEL_MESSAGE(Credit, CREDIT);
  pb.stream = message.stream;
  pb.bytes = message.bytes;
  return Pack(pb.base, out);
}
template <>
Result<Credit> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(Credit, credit);
  if (pb->stream == 0 || pb->bytes == 0) return Invalid();
  return Credit{pb->stream, pb->bytes};
}

Result<size_t> Encode(const Close& message, MutableBytes out) {
  CHANNEL_MESSAGE(Close, CLOSE);
  pb.stream = message.stream;
  pb.reason = NumberOf(message.reason);
  return Pack(pb.base, out);
}
template <>
Result<Close> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(Close, close);
  const auto reason = EnumOf(pb->reason, kCloseReasons);
  if (!reason) return Invalid();
  return Close{pb->stream, *reason};
}

Result<size_t> Encode(const GetCertificates& message, MutableBytes out) {
  CHANNEL_MESSAGE(GetCertificates, GET_CERTIFICATES);
  pb.chip_id = pbc::Data(message.chip_id);
  pb.tcb = message.tcb;
  return Pack(pb.base, out);
}
template <>
Result<GetCertificates> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(GetCertificates, get_certificates);
  BASE_TRY(ExpectSize(View(pb->chip_id), kChipIdSize));
  return GetCertificates{View(pb->chip_id), pb->tcb};
}

Result<size_t> Encode(const Certificates& message, MutableBytes out) {
  CHANNEL_MESSAGE(Certificates, CERTIFICATES);
  pb.table = pbc::Data(message.table);
  return Pack(pb.base, out);
}
template <>
Result<Certificates> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(Certificates, certificates);
  if (pb->table.len > kMaxCertificateTable) return Invalid();
  return Certificates{View(pb->table)};
}

Result<size_t> Encode(const Progress& message, MutableBytes out) {
  CHANNEL_MESSAGE(Progress, PROGRESS);
  pb.phase = NumberOf(message.phase);
  pb.reason = message.reason;
  pb.text = pbc::Data(message.text);
  pb.outcome = message.outcome;
  pb.decision_id = pbc::Data(message.decision_id);
  pb.elapsed_us = message.elapsed_us;
  return Pack(pb.base, out);
}
template <>
Result<Progress> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(Progress, progress);
  const auto phase = EnumOf(pb->phase, kPhases);
  if (!phase || pb->text.len > kMaxText || !IsPrintable(View(pb->text)) ||
      pb->reason > 0xFFFFFF) {
    return Invalid();
  }
  if (pb->decision_id.len != 0) {
    BASE_TRY(ExpectSize(View(pb->decision_id), kDecisionIdSize));
  }
  return Progress{*phase,
                  pb->reason,
                  View(pb->text),
                  pb->outcome,
                  View(pb->decision_id),
                  pb->elapsed_us};
}

Result<size_t> Encode(const FirmwareAttach&, MutableBytes out) {
  CHANNEL_MESSAGE(FirmwareAttach, FIRMWARE_ATTACH);
  return Pack(pb.base, out);
}
// Without fields there is nothing to unpack (and protobuf-c would add 0 to the
// null pointer that is their list).
template <>
Result<FirmwareAttach> Decode(Bytes body, ArenaBase&) {
  BASE_TRY(ExpectSize(body, 0));
  return FirmwareAttach{};
}

Result<size_t> Encode(const FirmwareSecrets& message, MutableBytes out) {
  CHANNEL_MESSAGE(FirmwareSecrets, FIRMWARE_SECRETS);
  pb.page = pbc::Data(message.page);
  return Pack(pb.base, out);
}
template <>
Result<FirmwareSecrets> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(FirmwareSecrets, firmware_secrets);
  BASE_TRY(ExpectSize(View(pb->page), kFirmwarePageSize));
  return FirmwareSecrets{View(pb->page)};
}

Result<size_t> Encode(const FirmwareRequest& message, MutableBytes out) {
  CHANNEL_MESSAGE(FirmwareRequest, FIRMWARE_REQUEST);
  pb.page = pbc::Data(message.page);
  return Pack(pb.base, out);
}
template <>
Result<FirmwareRequest> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(FirmwareRequest, firmware_request);
  BASE_TRY(ExpectSize(View(pb->page), kFirmwarePageSize));
  return FirmwareRequest{View(pb->page)};
}

Result<size_t> Encode(const FirmwareResponse& message, MutableBytes out) {
  CHANNEL_MESSAGE(FirmwareResponse, FIRMWARE_RESPONSE);
  pb.page = pbc::Data(message.page);
  pb.exit_info_2 = message.exit_info_2;
  return Pack(pb.base, out);
}
template <>
Result<FirmwareResponse> Decode(Bytes body, ArenaBase& arena) {
  CHANNEL_UNPACK(FirmwareResponse, firmware_response);
  BASE_TRY(
      ExpectSize(View(pb->page), pb->exit_info_2 == 0 ? kFirmwarePageSize : 0));
  return FirmwareResponse{View(pb->page), pb->exit_info_2};
}

}  // namespace proto::channel
