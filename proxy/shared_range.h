// SPDX-License-Identifier: Apache-2.0
//
// SharedRange: memory that another, hostile side writes at the same time.
//
// Every load happens once, into a private value; callers check that value and
// never look again. Offsets are the caller's own and must be in range (a bug
// traps).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

namespace proxy {

struct SharedRange {
  // EDGE: volatile, because the other side writes it at any time.
  volatile uint8_t* base = nullptr;  // page-aligned
  uint64_t gpa = 0;                  // of base, in the guest
  uint32_t size = 0;                 // bytes

  uint32_t Load32(uint32_t offset) const;               // acquire
  uint64_t Load64(uint32_t offset) const;               // acquire
  void Store32(uint32_t offset, uint32_t value) const;  // release
  void Store64(uint32_t offset, uint64_t value) const;  // release
  void CopyIn(uint32_t offset, base::Bytes bytes) const;
  void CopyOut(uint32_t offset, base::MutableBytes bytes) const;
  void Zero(uint32_t offset, uint32_t length) const;  // multiples of 8
};

// Orders a store before a later load (the doorbell protocol needs it).
inline void FullFence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

}  // namespace proxy
