// SPDX-License-Identifier: Apache-2.0
//
// StaticStorage<T>: a place in .bss for a T that is made when its time comes.
// The image runs no constructors before main and no destructors at all.
#pragma once

#include <stdint.h>

#include <new>
#include <utility>

namespace svsm {

template <typename T>
class StaticStorage {
 public:
  constexpr StaticStorage() = default;
  StaticStorage(const StaticStorage&) = delete;
  StaticStorage& operator=(const StaticStorage&) = delete;

  // Call once.
  template <typename... Args>
  T& Construct(Args&&... args) {
    // EDGE: placement into storage of T's size and alignment; allocates
    // nothing.
    return *new (bytes_) T(std::forward<Args>(args)...);
  }

 private:
  alignas(T) uint8_t bytes_[sizeof(T)] = {};
};

}  // namespace svsm
