// SPDX-License-Identifier: Apache-2.0
//
// BlockCounter: how many instructions were executed, from knowing which
// translated blocks were entered and where they were left early. Costs one
// look-up a block, where a hook on each instruction halves the speed.
#pragma once

#include <stdint.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

namespace machine {

class BlockCounter {
 public:
  // --- While a block is translated.
  void BeginBlock(uint64_t pc) {
    translated_pc_ = pc;
    translated_.clear();
  }
  void AddInstruction(uint64_t pc) {
    translated_.push_back(static_cast<uint32_t>(pc - translated_pc_));
  }
  void EndBlock(uint64_t end) {
    Block& block = blocks_[translated_pc_];
    block.starts = translated_;
    block.size = static_cast<uint32_t>(end - translated_pc_);
  }

  // --- While they run. Enter() counts all of it.
  void Enter(uint64_t pc) {
    Cached& cached = cache_[(pc ^ (pc >> 12)) % kCacheSize];
    if (cached.block == nullptr || cached.pc != pc) {
      cached = {pc, &blocks_[pc]};
    }
    current_pc_ = pc;
    current_ = cached.block;
    count_ += current_->starts.size();
  }
  // The block was done.
  void Done() { current_ = nullptr; }
  // The block was left at `rip`, before that instruction was done. Does nothing
  // the second time, or if rip is elsewhere.
  void LeaveAt(uint64_t rip) {
    if (current_ == nullptr || rip - current_pc_ >= current_->size) return;
    const auto& starts = current_->starts;
    const auto first_undone = std::ranges::lower_bound(
        starts, static_cast<uint32_t>(rip - current_pc_));
    count_ -= static_cast<uint64_t>(starts.end() - first_undone);
    current_ = nullptr;
  }
  // An instruction that the machine emulated itself.
  void AddOne() { ++count_; }

  uint64_t count() const { return count_; }

 private:
  struct Block {
    std::vector<uint32_t> starts;  // offsets from pc, ascending
    uint32_t size = 0;
  };
  struct Cached {
    uint64_t pc = 0;
    const Block* block = nullptr;
  };
  static constexpr size_t kCacheSize = 8192;

  // Nodes never move: pointers to blocks stay valid.
  std::unordered_map<uint64_t, Block> blocks_;
  std::array<Cached, kCacheSize> cache_ = {};
  const Block* current_ = nullptr;
  uint64_t current_pc_ = 0;
  uint64_t count_ = 0;
  uint64_t translated_pc_ = 0;
  std::vector<uint32_t> translated_;
};

}  // namespace machine
