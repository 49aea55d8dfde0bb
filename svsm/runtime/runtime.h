// SPDX-License-Identifier: Apache-2.0
//
// What the compiler and Mbed TLS call by name (runtime.cc has the
// functions), and the watermarks of heap and stack, which are budgets.
#pragma once

#include <stddef.h>

namespace svsm {

inline constexpr size_t kHeapSize = 128 * 1024;

// Sets up the heap and paints the unused stack. Call once, early.
void InitRuntime();

struct Watermarks {
  size_t heap_peak;   // bytes of kHeapSize
  size_t stack_peak;  // bytes of the 64 KiB
};
Watermarks MeasureWatermarks();

// Overwrites all that was ever allocated. Nothing may be allocated or freed
// afterwards. For the last acts.
void WipeHeap();

// Overwrites the boot stack below the caller, or all of it if the caller runs
// on another one: the code that an exception interrupted does not wipe its
// variables any more. For the last acts.
void WipeStack();

}  // namespace svsm
