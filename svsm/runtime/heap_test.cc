// SPDX-License-Identifier: Apache-2.0
#include "svsm/runtime/heap.h"

#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace svsm {
namespace {

class HeapTest : public testing::Test {
 protected:
  HeapTest() { heap_.Init(arena_); }

  static bool IsZero(const void* pointer, size_t size) {
    const auto* bytes = static_cast<const uint8_t*>(pointer);
    return std::all_of(bytes, bytes + size, [](uint8_t b) { return b == 0; });
  }

  alignas(Heap::kAlignment) uint8_t arena_[64 * 1024] = {};
  Heap heap_;
};

TEST_F(HeapTest, HandsOutZeroedAlignedMemory) {
  for (const size_t size : {0u, 1u, 15u, 16u, 17u, 4096u}) {
    void* p = heap_.Allocate(size);
    ASSERT_NE(p, nullptr);
    // EDGE: looks at the address only.
    EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % Heap::kAlignment, 0u);
    EXPECT_TRUE(IsZero(p, size));
    memset(p, 0xA5, size);
  }
  EXPECT_TRUE(heap_.Consistent());
}

TEST_F(HeapTest, ExhaustionIsNull) {
  EXPECT_EQ(heap_.Allocate(sizeof(arena_)), nullptr);
  EXPECT_EQ(heap_.Allocate(SIZE_MAX), nullptr);
  EXPECT_EQ(heap_.Allocate(SIZE_MAX - 20), nullptr);
  void* all = heap_.Allocate(sizeof(arena_) - 16);
  EXPECT_NE(all, nullptr);
  EXPECT_EQ(heap_.Allocate(1), nullptr);
  heap_.Free(all);
  EXPECT_TRUE(heap_.Consistent());
}

TEST_F(HeapTest, FreedMemoryIsGone) {
  auto* secret = static_cast<uint8_t*>(heap_.Allocate(100));
  memset(secret, 0x5A, 100);
  heap_.Free(secret);
  EXPECT_EQ(std::find(arena_, arena_ + sizeof(arena_), 0x5A),
            arena_ + sizeof(arena_));
}

TEST_F(HeapTest, NeighboursCoalesceInEveryOrder) {
  int order[] = {0, 1, 2};
  do {
    void* p[3];
    for (void*& block : p) block = heap_.Allocate(1000);
    void* fence = heap_.Allocate(16);
    for (const int i : order) {
      heap_.Free(p[i]);
      EXPECT_TRUE(heap_.Consistent());
    }
    heap_.Free(fence);
    EXPECT_EQ(heap_.used(), 0u);
    void* all = heap_.Allocate(sizeof(arena_) - 16);
    EXPECT_NE(all, nullptr);
    EXPECT_TRUE(IsZero(all, sizeof(arena_) - 16));
    heap_.Free(all);
  } while (std::next_permutation(std::begin(order), std::end(order)));
}

TEST_F(HeapTest, PeakIsTheHighWaterMark) {
  void* p = heap_.Allocate(10000);
  const size_t peak = heap_.peak();
  EXPECT_GE(peak, 10000u);
  heap_.Free(p);
  EXPECT_EQ(heap_.used(), 0u);
  EXPECT_EQ(heap_.peak(), peak);
}

TEST_F(HeapTest, RandomUseStaysConsistentAndZeroed) {
  struct Held {
    uint8_t* at;
    size_t size;
    uint8_t mark;
  };
  std::mt19937 random(1);
  std::vector<Held> held;
  for (int i = 0; i < 20000; ++i) {
    if (held.empty() || random() % 5 < 3) {
      const size_t size = random() % (random() % 8 == 0 ? 8000 : 200);
      auto* p = static_cast<uint8_t*>(heap_.Allocate(size));
      if (p == nullptr) continue;
      ASSERT_TRUE(IsZero(p, size));
      const auto mark = static_cast<uint8_t>(random() | 1);
      memset(p, mark, size);
      held.push_back({p, size, mark});
    } else {
      const size_t at = random() % held.size();
      const Held gone = held[at];
      held[at] = held.back();
      held.pop_back();
      for (size_t j = 0; j < gone.size; ++j) ASSERT_EQ(gone.at[j], gone.mark);
      heap_.Free(gone.at);
    }
    if (i % 100 == 0) ASSERT_TRUE(heap_.Consistent());
  }
  for (const Held& h : held) heap_.Free(h.at);
  EXPECT_EQ(heap_.used(), 0u);
  EXPECT_TRUE(heap_.Consistent());
}

using HeapDeathTest = HeapTest;

TEST_F(HeapDeathTest, BadFreesTrap) {
  void* p = heap_.Allocate(32);
  heap_.Free(nullptr);
  EXPECT_DEATH(heap_.Free(static_cast<uint8_t*>(p) + 16), "");
  EXPECT_DEATH(heap_.Free(static_cast<uint8_t*>(p) + 1), "");
  int on_the_stack = 0;
  EXPECT_DEATH(heap_.Free(&on_the_stack), "");
  heap_.Free(p);
  EXPECT_DEATH(heap_.Free(p), "");
}

}  // namespace
}  // namespace svsm
