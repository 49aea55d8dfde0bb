// SPDX-License-Identifier: Apache-2.0
//
// SecretBuffer<N>: up to N bytes of key material, held inline.
//
// Rules the type enforces: it cannot be copied, printed or compared with ==; a
// move wipes the source; shrinking wipes the tail; the destructor wipes the
// rest. What it cannot enforce: copies that the compiler spills to registers or
// stack.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <span>

#include "base/reasons.h"
#include "base/result.h"

namespace base {

// Zeroes [data, data + size) with a store the compiler may not remove.
inline void SecureZero(void* data, size_t size) {
  memset(data, 0, size);
  asm volatile("" : : "r"(data) : "memory");  // EDGE: keeps the memset alive.
}

template <size_t kCapacity>
class SecretBuffer {
 public:
  SecretBuffer() = default;
  ~SecretBuffer() { Wipe(); }

  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;
  SecretBuffer(SecretBuffer&& other) noexcept { TakeFrom(other); }
  SecretBuffer& operator=(SecretBuffer&& other) noexcept {
    if (this != &other) {
      Wipe();
      TakeFrom(other);
    }
    return *this;
  }

  // Copies `bytes` in. The caller still owns, and must wipe, the original.
  //   kResourceExhausted: `bytes` is longer than kCapacity.
  static Result<SecretBuffer> CopyFrom(std::span<const uint8_t> bytes) {
    if (bytes.size() > kCapacity) {
      return Status(Code::kResourceExhausted, kSecretTooLarge);
    }
    SecretBuffer out;
    if (!bytes.empty()) memcpy(out.bytes_, bytes.data(), bytes.size());
    out.size_ = bytes.size();
    return out;
  }

  size_t size() const { return size_; }  // In bytes.

  // The one way to read the secret. `grep -rn RevealSecret` lists every reader.
  // The span is valid until the buffer is moved from, resized or destroyed.
  std::span<const uint8_t> RevealSecret() const { return {bytes_, size_}; }

  // Sets the size to `size` bytes, zero-filled where it grows, and returns the
  // whole buffer for a key derivation or an RNG to fill.
  //   kResourceExhausted: `size` is larger than kCapacity.
  Result<std::span<uint8_t>> ResizeForWrite(size_t size) {
    if (size > kCapacity) {
      return Status(Code::kResourceExhausted, kSecretTooLarge);
    }
    if (size < size_) SecureZero(bytes_ + size, size_ - size);
    size_ = size;
    return std::span<uint8_t>(bytes_, size_);
  }

  // Compares in time that depends on the sizes only, never on the contents.
  bool EqualsConstantTime(std::span<const uint8_t> other) const {
    if (other.size() != size_) return false;
    uint8_t difference = 0;
    for (size_t i = 0; i < size_; ++i) {
      difference = static_cast<uint8_t>(difference | (bytes_[i] ^ other[i]));
    }
    asm volatile(""
                 : "+r"(difference));  // EDGE: no early exit for the optimiser.
    return difference == 0;
  }

  void Wipe() {
    SecureZero(bytes_, kCapacity);
    size_ = 0;
  }

 private:
  void TakeFrom(SecretBuffer& other) {
    memcpy(bytes_, other.bytes_, kCapacity);
    size_ = other.size_;
    other.Wipe();
  }

  // Bytes at and after size_ are always zero.
  uint8_t bytes_[kCapacity] = {};
  size_t size_ = 0;
};

}  // namespace base
