// SPDX-License-Identifier: Apache-2.0
//
// PhysicalWindow: how a guest-physical address becomes bytes.
//
// The guest maps accepted RAM one to one, so its window starts at address 0.
// Host tests give a buffer that stands for the memory at `base`.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "svsm/memory/interval_set.h"

namespace svsm {

class PhysicalWindow {
 public:
  // The guest's: all addresses below `end`, identity-mapped.
  static PhysicalWindow Identity(uint64_t end) {
    return PhysicalWindow(nullptr, 0, end);
  }
  // A test's: `memory` stands for [base, base + memory.size()).
  static PhysicalWindow Over(base::MutableBytes memory, uint64_t base) {
    return PhysicalWindow(memory.data(), base, base + memory.size());
  }

  // The bytes at [address, address + size). Traps outside the window: callers
  // pass what MemoryMap allocated, so that is a bug.
  base::MutableBytes At(uint64_t address, uint64_t size) const {
    if (address < begin_ || address > end_ || size > end_ - address) {
      __builtin_trap();
    }
    // EDGE: the window's maker promises that these addresses are mapped; in
    // the guest the address itself is the pointer.
    uint8_t* first = memory_ == nullptr ? reinterpret_cast<uint8_t*>(address)
                                        : memory_ + (address - begin_);
    return {first, static_cast<size_t>(size)};
  }
  base::MutableBytes At(Range range) const {
    return At(range.begin, range.size());
  }

 private:
  PhysicalWindow(uint8_t* memory, uint64_t begin, uint64_t end)
      : memory_(memory), begin_(begin), end_(end) {}
  uint8_t* memory_;
  uint64_t begin_;
  uint64_t end_;
};

}  // namespace svsm
