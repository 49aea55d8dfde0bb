// SPDX-License-Identifier: Apache-2.0
//
// Range and IntervalSet: page-aligned stretches of guest-physical memory, and
// a set of them that never overlaps itself.
//
// Every decision about memory (which RAM is accepted, what is allocated, what
// is overwritten) is made on these types, so that alignment, wrap-around and
// overlap are checked in one place. Design section 6.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/result.h"
#include "svsm/linux/reasons.h"

namespace svsm {

inline constexpr uint64_t kPageSize = 4096;

constexpr uint64_t PageDown(uint64_t address) {
  return address & ~(kPageSize - 1);
}
// Wraps to 0 for the last page; callers check first.
constexpr uint64_t PageUp(uint64_t address) {
  return PageDown(address + kPageSize - 1);
}

// [begin, end), both page aligned, begin < end. The last page of the address
// space cannot be expressed, which nobody misses.
struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;

  constexpr uint64_t size() const { return end - begin; }
  constexpr bool Contains(Range other) const {
    return begin <= other.begin && other.end <= end;
  }
  constexpr bool Overlaps(Range other) const {
    return begin < other.end && other.begin < end;
  }
  friend constexpr bool operator==(Range, Range) = default;
};

// The pages of [address, address + size).
//   kDataLoss: not page aligned (SL1); empty, or wraps (SL2).
constexpr base::Result<Range> MakeRange(uint64_t address, uint64_t size) {
  if (((address | size) & (kPageSize - 1)) != 0) {
    return base::Status(base::Code::kDataLoss, kRangeNotAligned);
  }
  uint64_t end = 0;
  if (size == 0 || __builtin_add_overflow(address, size, &end)) {
    return base::Status(base::Code::kDataLoss, kRangeWraps);
  }
  return Range{address, end};
}

// Sorted, disjoint; neighbours that touch are merged.
template <size_t kCapacity>
class IntervalSet {
 public:
  std::span<const Range> ranges() const { return {ranges_.data(), size_}; }
  void Clear() { size_ = 0; }

  // Adds `range`, all of which must be new.
  //   kDataLoss (SL3): some of it is in the set already.
  //   kResourceExhausted (SL4): no room.
  base::Status Insert(Range range) {
    if (range.begin >= range.end) {
      return base::Status(base::Code::kDataLoss, kRangeWraps);
    }
    size_t at = 0;
    while (at < size_ && ranges_[at].end <= range.begin) ++at;
    if (at < size_ && ranges_[at].begin < range.end) {
      return base::Status(base::Code::kDataLoss, kRangeOverlaps);
    }
    const bool joins_left = at > 0 && ranges_[at - 1].end == range.begin;
    const bool joins_right = at < size_ && ranges_[at].begin == range.end;
    if (joins_left && joins_right) {
      ranges_[at - 1].end = ranges_[at].end;
      EraseAt(at);
    } else if (joins_left) {
      ranges_[at - 1].end = range.end;
    } else if (joins_right) {
      ranges_[at].begin = range.begin;
    } else {
      return InsertAt(at, range);
    }
    return {};
  }

  // Takes `range` out; all of it must be in the set.
  //   kDataLoss (SL3): some of it is not.
  //   kResourceExhausted (SL4): it would split a range and there is no room.
  base::Status Remove(Range range) {
    for (size_t at = 0; at < size_; ++at) {
      Range& here = ranges_[at];
      if (!here.Contains(range)) continue;
      const Range right{range.end, here.end};
      if (here.begin == range.begin && here.end == range.end) {
        EraseAt(at);
      } else if (here.begin == range.begin) {
        here.begin = range.end;
      } else if (here.end == range.end) {
        here.end = range.begin;
      } else {
        if (size_ == kCapacity) return Full();
        here.end = range.begin;
        return InsertAt(at + 1, right);
      }
      return {};
    }
    return base::Status(base::Code::kDataLoss, kRangeOverlaps);
  }

  constexpr bool Contains(Range range) const {
    for (const Range& here : ranges()) {
      if (here.Contains(range)) return true;
    }
    return false;
  }
  constexpr bool Overlaps(Range range) const {
    for (const Range& here : ranges()) {
      if (here.Overlaps(range)) return true;
    }
    return false;
  }

 private:
  static base::Status Full() {
    return base::Status(base::Code::kResourceExhausted, kTooManyRanges);
  }
  base::Status InsertAt(size_t at, Range range) {
    if (size_ == kCapacity) return Full();
    for (size_t i = size_; i > at; --i) ranges_[i] = ranges_[i - 1];
    ranges_[at] = range;
    ++size_;
    return {};
  }
  void EraseAt(size_t at) {
    for (size_t i = at; i + 1 < size_; ++i) ranges_[i] = ranges_[i + 1];
    --size_;
  }

  std::array<Range, kCapacity> ranges_{};
  size_t size_ = 0;
};

}  // namespace svsm
