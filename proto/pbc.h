// SPDX-License-Identifier: Apache-2.0
//
// protobuf-c by our own types: packing, unpacking and views of bytes. Limits
// and rules are the wrappers' (attest.h, channel.h, config.h).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/result.h"
#include "proto/arena.h"
#include "protobuf-c/protobuf-c.h"

namespace proto::pbc {

// For a field to be packed. protobuf-c has no const; packing only reads.
inline ProtobufCBinaryData Data(base::Bytes bytes) {
  return {bytes.size(), const_cast<uint8_t*>(bytes.data())};
}
inline base::Bytes View(const ProtobufCBinaryData& data) {
  return {data.data, data.len};
}

// Writes `message` to `out` and returns its size.
//   kResourceExhausted (base::kBufferFull): longer than `limit` or `out`.
base::Result<size_t> Pack(const ProtobufCMessage& message, size_t limit,
                          base::MutableBytes out);

// The message, in memory of `arena`, or null. A message of a message, and one
// with fields that `descriptor` does not know, is the caller's to refuse.
ProtobufCMessage* UnpackAny(const ProtobufCMessageDescriptor& descriptor,
                            base::Bytes in, ArenaBase& arena);

// The same as `Message`, the type that `descriptor` describes.
template <typename Message>
const Message* Unpack(const ProtobufCMessageDescriptor& descriptor,
                      base::Bytes in, ArenaBase& arena) {
  // EDGE: every protobuf-c message begins with its ProtobufCMessage, and
  // protobuf-c made this one as the descriptor's type.
  return reinterpret_cast<const Message*>(UnpackAny(descriptor, in, arena));
}

}  // namespace proto::pbc
