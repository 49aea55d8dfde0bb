// SPDX-License-Identifier: Apache-2.0
//
// ByteReader and ByteWriter: the only code that moves a cursor over bytes.
//
// The reader checks in one place, Take(), and everything else is built on it.
// Both are little-endian unless a name says Be. Neither allocates.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <span>
#include <string_view>

#include "base/reasons.h"
#include "base/result.h"

namespace base {

using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

// Loads and stores for fields whose place is already known to be in range.
template <typename T>
constexpr T LoadLe(std::span<const uint8_t, sizeof(T)> in) {
  uint64_t value = 0;
  for (size_t i = sizeof(T); i-- > 0;) value = (value << 8) | in[i];
  return static_cast<T>(value);
}
template <typename T>
constexpr void StoreLe(T value, std::span<uint8_t, sizeof(T)> out) {
  uint64_t rest = static_cast<uint64_t>(value);
  for (size_t i = 0; i < sizeof(T); ++i, rest >>= 8) {
    out[i] = static_cast<uint8_t>(rest & 0xFF);
  }
}
template <typename T>
constexpr T LoadBe(std::span<const uint8_t, sizeof(T)> in) {
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = (value << 8) | in[i];
  return static_cast<T>(value);
}
template <typename T>
constexpr void StoreBe(T value, std::span<uint8_t, sizeof(T)> out) {
  uint64_t rest = static_cast<uint64_t>(value);
  for (size_t i = sizeof(T); i-- > 0; rest >>= 8) {
    out[i] = static_cast<uint8_t>(rest & 0xFF);
  }
}

// The characters of a text as bytes, in place.
inline Bytes AsBytes(std::string_view text) {
  // EDGE: char and uint8_t may alias; the extent is the text's own.
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline bool Equal(Bytes a, Bytes b) {
  return a.size() == b.size() &&
         (a.empty() || memcmp(a.data(), b.data(), a.size()) == 0);
}

inline bool AllZero(Bytes bytes) {
  for (const uint8_t byte : bytes) {
    if (byte != 0) return false;
  }
  return true;
}

class ByteReader {
 public:
  explicit constexpr ByteReader(Bytes in) : rest_(in) {}

  constexpr size_t remaining() const { return rest_.size(); }

  // The next `size` bytes, still in place.
  //   kDataLoss: fewer are left.
  constexpr Result<Bytes> Take(size_t size) {
    if (size > rest_.size()) return Status(Code::kDataLoss, kBytesTooShort);
    const Bytes taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  constexpr Result<uint8_t> U8() { return Le<uint8_t>(); }
  constexpr Result<uint16_t> U16() { return Le<uint16_t>(); }
  constexpr Result<uint32_t> U32() { return Le<uint32_t>(); }
  constexpr Result<uint64_t> U64() { return Le<uint64_t>(); }
  constexpr Result<uint32_t> U32Be() { return Be<uint32_t>(); }
  constexpr Result<uint16_t> U16Be() { return Be<uint16_t>(); }

  // A 32-bit length, then that many bytes.
  //   kDataLoss: truncated. kResourceExhausted: longer than max_size.
  constexpr Result<Bytes> Prefixed32(size_t max_size) {
    BASE_TRY_ASSIGN(const uint32_t size, U32());
    if (size > max_size) {
      return Status(Code::kResourceExhausted, kLengthOverLimit);
    }
    return Take(size);
  }

  // kDataLoss: bytes are left.
  constexpr Status ExpectEnd() const {
    if (!rest_.empty()) return Status(Code::kDataLoss, kBytesLeftOver);
    return {};
  }

 private:
  template <typename T>
  constexpr Result<T> Le() {
    BASE_TRY_ASSIGN(const Bytes in, Take(sizeof(T)));
    return LoadLe<T>(in.first<sizeof(T)>());
  }
  template <typename T>
  constexpr Result<T> Be() {
    BASE_TRY_ASSIGN(const Bytes in, Take(sizeof(T)));
    return LoadBe<T>(in.first<sizeof(T)>());
  }
  Bytes rest_;
};

class ByteWriter {
 public:
  explicit constexpr ByteWriter(MutableBytes out) : out_(out) {}

  constexpr size_t size() const { return size_; }
  constexpr Bytes written() const { return out_.first(size_); }

  // The next `size` bytes, for the caller to fill.
  //   kResourceExhausted: the buffer is full.
  constexpr Result<MutableBytes> Reserve(size_t size) {
    if (size > out_.size() - size_) {
      return Status(Code::kResourceExhausted, kBufferFull);
    }
    const MutableBytes place = out_.subspan(size_, size);
    size_ += size;
    return place;
  }
  // The source may not overlap the buffer.
  Status Put(Bytes bytes) {
    BASE_TRY_ASSIGN(const MutableBytes place, Reserve(bytes.size()));
    if (!bytes.empty()) memcpy(place.data(), bytes.data(), bytes.size());
    return {};
  }
  constexpr Status U8(uint8_t v) { return Le(v); }
  constexpr Status U16(uint16_t v) { return Le(v); }
  constexpr Status U32(uint32_t v) { return Le(v); }
  constexpr Status U64(uint64_t v) { return Le(v); }

 private:
  template <typename T>
  constexpr Status Le(T value) {
    BASE_TRY_ASSIGN(const MutableBytes place, Reserve(sizeof(T)));
    StoreLe<T>(value, place.first<sizeof(T)>());
    return {};
  }
  MutableBytes out_;
  size_t size_ = 0;
};

}  // namespace base
