// SPDX-License-Identifier: Apache-2.0
//
// Heap: a bounded allocator over one buffer, for Mbed TLS and nothing else.
//
// Segregated free lists (one a power of two), coalescing on free, boundary
// tags in 16-byte headers. Memory it hands out is zero: a block is zeroed when
// it is freed, because it may have held a key, and the rest never was written.
// A bad Free (twice, foreign, overwritten header) traps: it is our own bug.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>

namespace svsm {

class Heap {
 public:
  static constexpr size_t kAlignment = 16;

  constexpr Heap() = default;
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // `arena`: zeroed, aligned to kAlignment, its size a multiple of it, at least
  // 64 bytes and less than 4 GiB; outlives the heap. Call once.
  void Init(std::span<uint8_t> arena);

  // Zeroed, aligned to kAlignment. nullptr: no block is large enough.
  void* Allocate(size_t size);
  // nullptr is allowed and does nothing.
  void Free(void* pointer);

  // Bytes in allocated blocks, headers included, now and at most.
  size_t used() const { return used_; }
  size_t peak() const { return peak_; }

  // Walks everything. False: a bug. For tests.
  bool Consistent() const;

 private:
  struct Block;
  static constexpr size_t kBins = 32;

  Block* At(size_t offset) const;
  Block* Next(const Block* block) const;
  Block* Previous(const Block* block) const;
  Block* TakeFit(size_t size);
  void Insert(Block* block);
  void Remove(Block* block);
  void SplitTail(Block* block, size_t size);

  std::span<uint8_t> arena_;
  Block* bins_[kBins] = {};
  uint32_t bins_in_use_ = 0;  // Bit n: bins_[n] is not empty.
  size_t used_ = 0;
  size_t peak_ = 0;
};

}  // namespace svsm
