// SPDX-License-Identifier: Apache-2.0
#include "svsm/runtime/runtime.h"

#include <stdint.h>

#include "base/secret_buffer.h"
#include "svsm/boot/image_symbols.h"
#include "svsm/runtime/heap.h"

namespace svsm {
namespace {

alignas(Heap::kAlignment) constinit uint8_t arena[kHeapSize];
constinit Heap heap;

constexpr uint64_t kPaint = 0x6B636F6C65726F66;  // "forelock"
// What the frames of the painter and the wiper themselves may take.
constexpr uint64_t kUnpainted = 512;

// The lowest and one past the highest word of the boot stack.
uint64_t* StackBottom() {
  // EDGE: the stack that boot/entry.S reserves, 8-byte aligned.
  return reinterpret_cast<uint64_t*>(AddressOf(__stack_bottom));
}
uint64_t* StackTop() {
  // EDGE: as above.
  return reinterpret_cast<uint64_t*>(AddressOf(__stack_top));
}

}  // namespace

void InitRuntime() {
  heap.Init(arena);
  const uint64_t here = AddressOf(__builtin_frame_address(0)) - kUnpainted;
  for (uint64_t* word = StackBottom(); AddressOf(word) < here; ++word) {
    *word = kPaint;
  }
}

Watermarks MeasureWatermarks() {
  const uint64_t* word = StackBottom();
  while (word < StackTop() && *word == kPaint) ++word;
  return {heap.peak(), AddressOf(StackTop()) - AddressOf(word)};
}

void WipeHeap() { base::SecureZero(arena, sizeof(arena)); }

void WipeStack() {
  const uint64_t here = AddressOf(__builtin_frame_address(0));
  const uint64_t bottom = AddressOf(StackBottom());
  uint64_t end = AddressOf(StackTop());
  // In an exception nothing of this stack is needed any more.
  if (here > bottom && here <= end) {
    end = here - bottom > kUnpainted ? here - kUnpainted : bottom;
  }
  base::SecureZero(StackBottom(), end - bottom);
}

}  // namespace svsm

extern "C" {

void* guest_calloc(size_t count, size_t size) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) return nullptr;
  return svsm::heap.Allocate(bytes);
}

void guest_free(void* pointer) { svsm::heap.Free(pointer); }

// Nothing the image keeps is formatted through this; libraries see an error.
int guest_snprintf(char* out, size_t size, const char* format, ...) {
  static_cast<void>(format);
  if (size > 0) out[0] = '\0';
  return -1;
}

// protobuf-c's default allocator, which is never used: every message unpacks
// into an arena (proto/arena.h).
void* malloc(size_t) { return nullptr; }
void free(void* pointer) {
  if (pointer != nullptr) __builtin_trap();
}

void __cxa_pure_virtual() { __builtin_trap(); }
void abort() { __builtin_trap(); }

}  // extern "C"
