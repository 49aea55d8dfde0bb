// SPDX-License-Identifier: Apache-2.0
#include "svsm/boot/backtrace.h"

namespace svsm {

size_t WalkFramePointers(uint64_t frame_pointer, StackBounds stack,
                         std::span<uint64_t> out) {
  size_t count = 0;
  uint64_t lowest = stack.bottom;
  while (count < out.size() && frame_pointer % 8 == 0 &&
         frame_pointer >= lowest && frame_pointer < stack.top &&
         stack.top - frame_pointer >= 16) {
    // EDGE: 16 bytes inside the stack, checked above.
    const auto* frame = reinterpret_cast<const uint64_t*>(frame_pointer);
    out[count++] = frame[1];
    lowest = frame_pointer + 16;
    frame_pointer = frame[0];
  }
  return count;
}

}  // namespace svsm
