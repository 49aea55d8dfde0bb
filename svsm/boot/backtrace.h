// SPDX-License-Identifier: Apache-2.0
//
// A backtrace by frame pointers: [rbp] is the caller's rbp, [rbp + 8] the
// address it continues at. Reads only inside the given stack.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>

namespace svsm {

struct StackBounds {
  uint64_t bottom, top;  // Addresses; top is exclusive.
};

// Fills `out` with return addresses, innermost first; returns how many. Ends at
// a frame pointer that is zero, misaligned, outside, or not above the last.
size_t WalkFramePointers(uint64_t frame_pointer, StackBounds stack,
                         std::span<uint64_t> out);

}  // namespace svsm
