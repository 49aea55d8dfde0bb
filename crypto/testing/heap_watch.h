// SPDX-License-Identifier: Apache-2.0
//
// HeapWatch: counts what Mbed TLS allocates while it lives, and on request
// refuses to. One at a time, around the whole life of what allocates.
#pragma once

#include <stddef.h>

namespace crypto::testing {

class HeapWatch {
 public:
  HeapWatch();
  ~HeapWatch();
  HeapWatch(const HeapWatch&) = delete;
  HeapWatch& operator=(const HeapWatch&) = delete;

  size_t now() const;          // bytes in use
  size_t peak() const;         // bytes in use, at most
  size_t allocations() const;  // so far

  // Allocations fail once this many have been made; SIZE_MAX: never.
  void FailAfter(size_t allocations);
};

}  // namespace crypto::testing
