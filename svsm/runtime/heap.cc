// SPDX-License-Identifier: Apache-2.0
#include "svsm/runtime/heap.h"

#include <bit>

#include "base/secret_buffer.h"

namespace svsm {
namespace {

// Neither can be met by chance, and both differ from cleared memory.
constexpr uint32_t kFree = 0xF4EEB10C;
constexpr uint32_t kAllocated = 0xA110CA7E;

constexpr size_t BinOf(size_t size) {
  return static_cast<size_t>(std::bit_width(size)) - 1;
}

}  // namespace

// Sizes count the header. The links lie where the owner's bytes would.
struct Heap::Block {
  uint32_t size;
  uint32_t previous_size;  // 0: the first block.
  uint32_t state;
  uint32_t reserved_0c;
  Block* next_free;
  Block* previous_free;

  static constexpr size_t kHeader = 16;
  static constexpr size_t kMinimum = 32;

  uint8_t* payload() {
    // EDGE: the bytes after the header, inside the same block.
    return reinterpret_cast<uint8_t*>(this) + kHeader;
  }
};

Heap::Block* Heap::At(size_t offset) const {
  // EDGE: a block boundary, hence aligned and inside the arena.
  return reinterpret_cast<Block*>(arena_.data() + offset);
}

Heap::Block* Heap::Next(const Block* block) const {
  // EDGE: distance inside the arena.
  const auto* at = reinterpret_cast<const uint8_t*>(block);
  const size_t end = static_cast<size_t>(at - arena_.data()) + block->size;
  return end < arena_.size() ? At(end) : nullptr;
}

Heap::Block* Heap::Previous(const Block* block) const {
  if (block->previous_size == 0) return nullptr;
  // EDGE: distance inside the arena.
  const auto* at = reinterpret_cast<const uint8_t*>(block);
  return At(static_cast<size_t>(at - arena_.data()) - block->previous_size);
}

void Heap::Init(std::span<uint8_t> arena) {
  arena_ = arena;
  Block* const all = At(0);
  all->size = static_cast<uint32_t>(arena.size());
  all->previous_size = 0;
  Insert(all);
}

void Heap::Insert(Block* block) {
  const size_t bin = BinOf(block->size);
  block->state = kFree;
  block->previous_free = nullptr;
  block->next_free = bins_[bin];
  if (bins_[bin] != nullptr) bins_[bin]->previous_free = block;
  bins_[bin] = block;
  bins_in_use_ |= uint32_t{1} << bin;
}

void Heap::Remove(Block* block) {
  const size_t bin = BinOf(block->size);
  Block* const next = block->next_free;
  Block* const previous = block->previous_free;
  if (next != nullptr) next->previous_free = previous;
  if (previous != nullptr) {
    previous->next_free = next;
  } else {
    bins_[bin] = next;
    if (next == nullptr) bins_in_use_ &= ~(uint32_t{1} << bin);
  }
  block->next_free = nullptr;
  block->previous_free = nullptr;
}

// A free block of at least `size`, off its list.
Heap::Block* Heap::TakeFit(size_t size) {
  const size_t bin = BinOf(size);
  for (Block* block = bins_[bin]; block != nullptr; block = block->next_free) {
    if (block->size < size) continue;
    Remove(block);
    return block;
  }
  // Every block of a higher bin is large enough.
  const uint32_t higher =
      bin + 1 < kBins ? bins_in_use_ & (~uint32_t{0} << (bin + 1)) : 0;
  if (higher == 0) return nullptr;
  Block* const block = bins_[std::countr_zero(higher)];
  Remove(block);
  return block;
}

// Gives what lies behind the first `size` bytes back, if it can be a block.
void Heap::SplitTail(Block* block, size_t size) {
  const size_t rest = block->size - size;
  if (rest < Block::kMinimum) return;
  block->size = static_cast<uint32_t>(size);
  Block* const tail = Next(block);
  tail->size = static_cast<uint32_t>(rest);
  tail->previous_size = block->size;
  if (Block* const after = Next(tail)) after->previous_size = tail->size;
  Insert(tail);
}

void* Heap::Allocate(size_t size) {
  if (size > arena_.size()) return nullptr;
  size_t needed = (size + Block::kHeader + kAlignment - 1) & ~(kAlignment - 1);
  if (needed < Block::kMinimum) needed = Block::kMinimum;
  if (needed > arena_.size()) return nullptr;
  Block* const block = TakeFit(needed);
  if (block == nullptr) return nullptr;
  SplitTail(block, needed);
  block->state = kAllocated;
  used_ += block->size;
  if (used_ > peak_) peak_ = used_;
  return block->payload();
}

void Heap::Free(void* pointer) {
  if (pointer == nullptr) return;
  const size_t offset =
      static_cast<size_t>(static_cast<uint8_t*>(pointer) - arena_.data());
  if (offset < Block::kHeader || offset >= arena_.size() ||
      offset % kAlignment != 0) {
    __builtin_trap();
  }
  Block* block = At(offset - Block::kHeader);
  if (block->state != kAllocated) __builtin_trap();
  used_ -= block->size;
  base::SecureZero(block->payload(), block->size - Block::kHeader);

  // A block that is swallowed leaves only zeros behind.
  Block* const next = Next(block);
  if (next != nullptr && next->state == kFree) {
    Remove(next);
    block->size += next->size;
    base::SecureZero(next, Block::kHeader);
  }
  Block* const previous = Previous(block);
  if (previous != nullptr && previous->state == kFree) {
    Remove(previous);
    previous->size += block->size;
    base::SecureZero(block, Block::kHeader);
    block = previous;
  }
  if (Block* const after = Next(block)) after->previous_size = block->size;
  Insert(block);
}

bool Heap::Consistent() const {
  size_t used = 0;
  size_t free_blocks = 0;
  uint32_t previous_size = 0;
  bool previous_free = false;
  for (const Block* b = At(0); b != nullptr; b = Next(b)) {
    if (b->size < Block::kMinimum || b->size % kAlignment != 0) return false;
    if (b->previous_size != previous_size) return false;
    if (b->state != kFree && b->state != kAllocated) return false;
    const bool is_free = b->state == kFree;
    if (is_free && previous_free) return false;  // Not coalesced.
    if (is_free) ++free_blocks;
    if (!is_free) used += b->size;
    previous_size = b->size;
    previous_free = is_free;
  }
  size_t listed = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    if ((bins_[bin] != nullptr) != ((bins_in_use_ >> bin & 1) != 0)) {
      return false;
    }
    for (const Block* b = bins_[bin]; b != nullptr; b = b->next_free) {
      if (b->state != kFree || BinOf(b->size) != bin) return false;
      ++listed;
    }
  }
  return used == used_ && listed == free_blocks;
}

}  // namespace svsm
