// SPDX-License-Identifier: Apache-2.0
//
// UnpackArena<N>: the only memory that a protobuf from outside may use.
//
// protobuf-c allocates while it unpacks; here it allocates from N bytes and
// fails when they are used up, so a message cannot ask for more. Released as a
// whole, wiped, when the arena dies: messages may hold secrets.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/secret_buffer.h"
#include "protobuf-c/protobuf-c.h"

namespace proto {

class ArenaBase {
 public:
  ArenaBase(const ArenaBase&) = delete;
  ArenaBase& operator=(const ArenaBase&) = delete;

  // For xxx__unpack(). What it returns lives as long as the arena, or until
  // Reset(); xxx__free_unpacked() is neither needed nor harmful.
  ProtobufCAllocator* allocator() { return &allocator_; }

  void Reset() {
    base::SecureZero(begin_, used_);
    used_ = 0;
  }

 protected:
  ArenaBase(uint8_t* begin, size_t size)
      : allocator_{&Allocate, &Free, this}, begin_(begin), size_(size) {}
  ~ArenaBase() = default;

 private:
  static constexpr size_t kAlign = 16;

  static void* Allocate(void* self_pointer, size_t size) {
    auto* self = static_cast<ArenaBase*>(self_pointer);
    // A NULL from the allocator means failure, so an empty block takes room.
    if (size == 0) size = 1;
    if (size > self->size_ - self->used_) return nullptr;
    const size_t rounded = (size + kAlign - 1) & ~(kAlign - 1);
    if (rounded > self->size_ - self->used_) return nullptr;
    void* block = self->begin_ + self->used_;
    self->used_ += rounded;
    return block;
  }
  static void Free(void*, void*) {}

  ProtobufCAllocator allocator_;
  uint8_t* begin_;
  size_t size_;
  size_t used_ = 0;
};

template <size_t kSize>
class UnpackArena : public ArenaBase {
 public:
  UnpackArena() : ArenaBase(storage_, kSize) {}
  ~UnpackArena() { Reset(); }

 private:
  alignas(16) uint8_t storage_[kSize];
};

}  // namespace proto
