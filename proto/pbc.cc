// SPDX-License-Identifier: Apache-2.0
#include "proto/pbc.h"

namespace proto::pbc {

base::Result<size_t> Pack(const ProtobufCMessage& message, size_t limit,
                          base::MutableBytes out) {
  const size_t size = protobuf_c_message_get_packed_size(&message);
  if (size > limit || size > out.size()) {
    return base::Status(base::Code::kResourceExhausted, base::kBufferFull);
  }
  return protobuf_c_message_pack(&message, out.data());
}

ProtobufCMessage* UnpackAny(const ProtobufCMessageDescriptor& descriptor,
                            base::Bytes in, ArenaBase& arena) {
  static constexpr uint8_t kEmpty = 0;  // An empty span may be at null.
  return protobuf_c_message_unpack(&descriptor, arena.allocator(), in.size(),
                                   in.empty() ? &kEmpty : in.data());
}

}  // namespace proto::pbc
