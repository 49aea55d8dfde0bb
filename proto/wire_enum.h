// SPDX-License-Identifier: Apache-2.0
//
// The only way from a number of a message to an enumerator.
//
// The fields are int32 in the .proto files, which is the same on the wire as
// an enumeration: whatever a peer sends is an integer until it was found among
// the numbers that are known. protobuf-c would load a field of an enumerated
// type as an enumerator, undefined where the number is outside the type's range
// even if the next line refuses it; third_party/protobuf_c.sh makes no code
// with such a field.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <optional>
#include <type_traits>

namespace proto {

// The enumerator of `known` whose number this is, if there is one.
template <typename Enum, size_t kCount>
constexpr std::optional<Enum> EnumOf(int32_t number,
                                     const Enum (&known)[kCount]) {
  for (const Enum value : known) {
    if (static_cast<int32_t>(value) == number) return value;
  }
  return std::nullopt;
}

// The number to send.
template <typename Enum>
constexpr int32_t NumberOf(Enum value) {
  static_assert(std::is_enum_v<Enum>);
  return static_cast<int32_t>(value);
}

}  // namespace proto
