// SPDX-License-Identifier: Apache-2.0
//
// The messages of the proxy channel (docs/channel.md) as plain structs, and
// the only code that turns them into protobuf bodies and back.
//
// Decode<T> checks every length and number against the limits below before it
// returns. The spans in what it returns point into `arena`, which the caller
// may reset when done with the message. Unknown fields are ignored: a newer
// peer may add some.
//   kDataLoss (kChannelMessageMalformed, kChannelFieldInvalid): the peer is
//   broken or hostile.
// Encode writes at most kMaxBody bytes and returns how many.
//   kResourceExhausted (base::kBufferFull): `out` is too small.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/result.h"
#include "proto/arena.h"

namespace proto::channel {

inline constexpr uint32_t kMaxBody = 16 * 1024;  // of a frame, bytes
// What a Data message costs beside its payload.
inline constexpr uint32_t kDataOverhead = 16;
inline constexpr uint32_t kMaxPayload = kMaxBody - kDataOverhead;
inline constexpr size_t kMaxText = 256;  // of Progress
inline constexpr size_t kChipIdSize = 64;
inline constexpr size_t kDecisionIdSize = 16;
inline constexpr size_t kMaxCertificateTable = 12 * 1024;
inline constexpr size_t kFirmwarePageSize = 4096;

// Enough for the largest message of this channel.
using Arena = UnpackArena<kMaxBody + 1024>;

struct Hello {
  uint32_t min_version = 0;
  uint32_t max_version = 0;
  uint32_t max_body = 0;        // bytes
  uint32_t receive_credit = 0;  // initial credit of each stream, bytes
  base::Bytes vm;               // a name (proto/name.h)
};
struct Welcome {
  uint32_t version = 0;
  uint32_t max_body = 0;
  uint32_t receive_credit = 0;
  uint32_t max_streams = 0;
  base::Bytes label;  // as Hello.vm
  uint64_t generation = 0;
};
struct Ping {
  uint64_t token = 0;
};
struct Pong {
  uint64_t token = 0;
};
struct Open {
  uint32_t stream = 0;   // not 0
  base::Bytes endpoint;  // as Hello.vm
};
struct Opened {
  uint32_t stream = 0;
};
enum class RefusedReason : uint8_t {
  kUnspecified = 0,
  kUnknownEndpoint = 1,
  kUnreachable = 2,
  kTooManyStreams = 3,
  kShuttingDown = 4,
};
struct Refused {
  uint32_t stream = 0;
  RefusedReason reason = RefusedReason::kUnspecified;
};
struct Data {
  uint32_t stream = 0;
  base::Bytes payload;  // not empty, at most kMaxPayload
};
struct Credit {
  uint32_t stream = 0;
  uint32_t bytes = 0;  // not 0
};
enum class CloseReason : uint8_t {
  kUnspecified = 0,
  kDone = 1,
  kReset = 2,
  kProtocol = 3,
  kShuttingDown = 4,
};
struct Close {
  uint32_t stream = 0;  // 0: the whole session
  CloseReason reason = CloseReason::kUnspecified;
};
struct GetCertificates {
  base::Bytes chip_id;  // kChipIdSize bytes
  uint64_t tcb = 0;
};
struct Certificates {
  base::Bytes table;  // may be empty
};
enum class Phase : uint8_t {
  kUnspecified = 0,
  kStarted = 1,
  kMeasured = 2,
  kConnected = 3,
  kAttested = 4,
  kGranted = 5,
  kRefused = 6,
  kFailed = 7,
  kHandingOver = 8,
};
struct Progress {
  Phase phase = Phase::kUnspecified;
  uint32_t reason = 0;      // base::Reason bits, 0 if none
  base::Bytes text;         // at most kMaxText bytes of printable ASCII
  uint32_t outcome = 0;     // forelock.attest.Outcome, 0 if none
  base::Bytes decision_id;  // empty, or kDecisionIdSize bytes
  uint64_t elapsed_us = 0;
};
struct FirmwareAttach {};  // an empty body
struct FirmwareSecrets {
  base::Bytes page;  // kFirmwarePageSize bytes
};
struct FirmwareRequest {
  base::Bytes page;  // kFirmwarePageSize bytes
};
struct FirmwareResponse {
  base::Bytes page;  // kFirmwarePageSize bytes if exit_info_2 is 0, else empty
  uint64_t exit_info_2 = 0;
};

base::Result<size_t> Encode(const Hello& message, base::MutableBytes out);
base::Result<size_t> Encode(const Welcome& message, base::MutableBytes out);
base::Result<size_t> Encode(const Ping& message, base::MutableBytes out);
base::Result<size_t> Encode(const Pong& message, base::MutableBytes out);
base::Result<size_t> Encode(const Open& message, base::MutableBytes out);
base::Result<size_t> Encode(const Opened& message, base::MutableBytes out);
base::Result<size_t> Encode(const Refused& message, base::MutableBytes out);
base::Result<size_t> Encode(const Data& message, base::MutableBytes out);
base::Result<size_t> Encode(const Credit& message, base::MutableBytes out);
base::Result<size_t> Encode(const Close& message, base::MutableBytes out);
base::Result<size_t> Encode(const GetCertificates& message,
                            base::MutableBytes out);
base::Result<size_t> Encode(const Certificates& message,
                            base::MutableBytes out);
base::Result<size_t> Encode(const Progress& message, base::MutableBytes out);
base::Result<size_t> Encode(const FirmwareAttach& message,
                            base::MutableBytes out);
base::Result<size_t> Encode(const FirmwareSecrets& message,
                            base::MutableBytes out);
base::Result<size_t> Encode(const FirmwareRequest& message,
                            base::MutableBytes out);
base::Result<size_t> Encode(const FirmwareResponse& message,
                            base::MutableBytes out);

// Defined in channel.cc for each struct above.
template <typename T>
base::Result<T> Decode(base::Bytes body, ArenaBase& arena);

}  // namespace proto::channel
