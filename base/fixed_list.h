// SPDX-License-Identifier: Apache-2.0
//
// FixedList<T, N>: up to N values, inline; a vector for code without a heap.
#pragma once

#include <stddef.h>

#include "base/reasons.h"
#include "base/result.h"

namespace base {

template <typename T, size_t kCapacity>
class FixedList {
 public:
  // kResourceExhausted (kBufferFull): kCapacity values are in it.
  Status Add(const T& value) {
    if (size_ == kCapacity) {
      return Status(Code::kResourceExhausted, kBufferFull);
    }
    values_[size_++] = value;
    return {};
  }
  void Clear() { size_ = 0; }

  static constexpr size_t capacity() { return kCapacity; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](size_t i) { return values_[Check(i)]; }
  const T& operator[](size_t i) const { return values_[Check(i)]; }
  const T* begin() const { return values_; }
  const T* end() const { return values_ + size_; }
  const T* data() const { return values_; }

 private:
  size_t Check(size_t i) const {
    if (i >= size_) __builtin_trap();
    return i;
  }
  T values_[kCapacity] = {};
  size_t size_ = 0;
};

}  // namespace base
