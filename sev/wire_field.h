// SPDX-License-Identifier: Apache-2.0
//
// WireField: one field of a fixed layout, and the check that a layout's fields
// tile it. Layouts of sev/ are written as lists of these instead of structs:
// no padding, no alignment, no byte order of the machine, no cast.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>

#include "base/bytes.h"

namespace sev {

// Where a field starts and how long it is, in bytes.
template <size_t kAt, size_t kBytes>
struct WireField {
  static constexpr size_t kOffset = kAt;
  static constexpr size_t kSize = kBytes;
  static constexpr size_t kEnd = kAt + kBytes;
};

// True when the fields follow each other from 0 to `total` with no gap and no
// overlap.
template <typename First, typename... Rest>
consteval bool Tile(size_t total) {
  size_t end = First::kEnd;
  bool ok = First::kOffset == 0;
  ((ok = ok && Rest::kOffset == end, end = Rest::kEnd), ...);
  return ok && end == total;
}

// The bytes of field F in a structure of a size that is known to hold it.
template <typename F, size_t kTotal>
constexpr std::span<const uint8_t, F::kSize> FieldOf(
    std::span<const uint8_t, kTotal> in) {
  static_assert(kTotal != std::dynamic_extent && F::kEnd <= kTotal);
  return in.template subspan<F::kOffset, F::kSize>();
}
template <typename F, size_t kTotal>
constexpr std::span<uint8_t, F::kSize> FieldOf(std::span<uint8_t, kTotal> in) {
  static_assert(kTotal != std::dynamic_extent && F::kEnd <= kTotal);
  return in.template subspan<F::kOffset, F::kSize>();
}

template <typename T, typename F, size_t kTotal>
constexpr T GetLe(std::span<const uint8_t, kTotal> in) {
  static_assert(sizeof(T) == F::kSize);
  return base::LoadLe<T>(FieldOf<F>(in));
}
template <typename T, typename F, size_t kTotal>
constexpr void PutLe(T value, std::span<uint8_t, kTotal> out) {
  static_assert(sizeof(T) == F::kSize);
  base::StoreLe<T>(value, FieldOf<F>(out));
}

}  // namespace sev
