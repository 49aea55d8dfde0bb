// SPDX-License-Identifier: Apache-2.0
#include "svsm/memory/memory_map.h"

#include <algorithm>

namespace svsm {
namespace {

using base::Code;
using base::Result;
using base::Status;

constexpr uint32_t kTypeRam = 1;
constexpr Range kPageZero{0, kPageSize};
constexpr Range kLegacyHole{0xA0000, MemoryMap::kLowest};

bool Skipped(const HostMapEntry& entry) {
  return entry.size == 0 && entry.type == 0;
}

// Raw bytes, before any rounding hides an overlap.
Status CheckEntries(std::span<const HostMapEntry> entries) {
  for (size_t i = 0; i < entries.size(); ++i) {
    const HostMapEntry& a = entries[i];
    if (Skipped(a)) continue;
    // The last page is refused too, so that rounding up cannot wrap.
    uint64_t end = 0;
    if (a.size == 0 || __builtin_add_overflow(a.address, a.size, &end) ||
        end > PageDown(UINT64_MAX)) {
      return Status(Code::kDataLoss, kRangeWraps);
    }
    for (size_t j = 0; j < i; ++j) {
      const HostMapEntry& b = entries[j];
      if (Skipped(b)) continue;
      if (a.address < b.address + b.size && b.address < end) {
        return Status(Code::kDataLoss, kRangeOverlaps);
      }
    }
  }
  return {};
}

// Two entries that touch inside one page are one range here.
template <size_t kCapacity>
Status InsertUnion(IntervalSet<kCapacity>& set, Range range) {
  for (bool again = true; again;) {
    again = false;
    for (const Range here : set.ranges()) {
      if (!here.Overlaps(range)) continue;
      BASE_TRY(set.Remove(here));
      range.begin = here.begin < range.begin ? here.begin : range.begin;
      range.end = here.end > range.end ? here.end : range.end;
      again = true;
      break;
    }
  }
  return set.Insert(range);
}

// `range` without `hole`: at most two pieces, each given to `add`.
template <typename Add>
Status Without(Range range, Range hole, Add add) {
  if (!range.Overlaps(hole)) return add(range);
  if (range.begin < hole.begin) BASE_TRY(add(Range{range.begin, hole.begin}));
  if (hole.end < range.end) BASE_TRY(add(Range{hole.end, range.end}));
  return {};
}

}  // namespace

Status MemoryMap::Accept(std::span<const HostMapEntry> entries, Range image) {
  if (entries.size() > kMaxHostEntries) {
    return Status(Code::kResourceExhausted, kTooManyRanges);
  }
  BASE_TRY(CheckEntries(entries));
  uint64_t total = 0;
  for (const HostMapEntry& entry : entries) {
    if (Skipped(entry)) continue;
    const uint64_t end = entry.address + entry.size;
    if (entry.type != kTypeRam) {
      BASE_TRY(InsertUnion(reserved_, {PageDown(entry.address), PageUp(end)}));
      continue;
    }
    const Range usable{PageUp(entry.address), PageDown(end)};
    if (usable.begin >= usable.end) continue;
    if (usable.end > kHighest || usable.size() > kMostRam - total) {
      return Status(Code::kDataLoss, kRamTooHigh);
    }
    if (usable.Overlaps(kDeviceHole)) {
      return Status(Code::kDataLoss, kRamInDeviceHole);
    }
    total += usable.size();
    BASE_TRY(ram_.Insert(usable));
    // What the loader may use; all RAM is in the kernel's map.
    const Range low{std::max(usable.begin, kLowest),
                    std::min(usable.end, k4GiB)};
    if (low.begin < low.end) BASE_TRY(free_.Insert(low));
  }
  if (ram_.ranges().empty()) return Status(Code::kDataLoss, kNoMemoryMap);
  if (!free_.Contains(image)) return Status(Code::kDataLoss, kImageNotInRam);
  return AllocateAt(image, Use::kSvsm);
}

Result<Range> MemoryMap::Allocate(uint64_t size, uint64_t alignment,
                                  uint64_t below, Use use) {
  const Status none(Code::kResourceExhausted, kNoMemory);
  if (alignment < kPageSize || (alignment & (alignment - 1)) != 0) {
    return Status(Code::kInvalidArgument, kRangeNotAligned);
  }
  if (size == 0 || size > k4GiB) return none;
  const uint64_t wanted = PageUp(size);
  const std::span<const Range> ranges = free_.ranges();
  for (size_t i = ranges.size(); i-- > 0;) {
    const Range here = ranges[i];
    const uint64_t end = here.end < below ? here.end : below;
    if (end <= here.begin || end - here.begin < wanted) continue;
    const uint64_t begin = (end - wanted) & ~(alignment - 1);
    if (begin < here.begin) continue;
    const Range found{begin, begin + wanted};
    BASE_TRY(AllocateAt(found, use));
    return found;
  }
  return none;
}

Status MemoryMap::AllocateAt(Range range, Use use) {
  if (!free_.Contains(range)) {
    return Status(Code::kResourceExhausted, kNoMemory);
  }
  BASE_TRY(Record(range, use));
  const Status removed = free_.Remove(range);
  if (!removed.ok()) --allocation_count_;
  return removed;
}

Status MemoryMap::Record(Range range, Use use) {
  if (allocation_count_ == kMaxAllocations) {
    return Status(Code::kResourceExhausted, kTooManyRanges);
  }
  allocations_[allocation_count_++] = {range, use};
  return {};
}

Result<size_t> MemoryMap::MakeUnaccepted(std::span<Range> out) const {
  size_t count = 0;
  const auto put = [&](Range range) -> Status {
    if (count == out.size()) {
      return Status(Code::kResourceExhausted, kTooManyRanges);
    }
    out[count++] = range;
    return {};
  };
  const Range image = allocations().front().range;
  for (const Range here : ram_.ranges()) {
    BASE_TRY(Without(here, kLegacyHole,
                     [&](Range piece) { return Without(piece, image, put); }));
  }
  return count;
}

Result<size_t> MemoryMap::MakeWipes(std::span<Range> out) const {
  size_t count = 0;
  const auto put = [&](Range range) -> Status {
    if (count == out.size()) {
      return Status(Code::kResourceExhausted, kTooManyRanges);
    }
    out[count++] = range;
    return {};
  };
  for (const Allocation& allocation : allocations()) {
    if (allocation.use == Use::kSvsm) BASE_TRY(put(allocation.range));
  }
  for (const Range here : ram_.ranges()) {
    if (here.begin >= kLegacyHole.begin) break;
    const uint64_t end = here.end;
    BASE_TRY(
        put({here.begin, end < kLegacyHole.begin ? end : kLegacyHole.begin}));
  }
  if (wipe_rom_area_) BASE_TRY(put(kRomArea));
  return count;
}

Result<size_t> MemoryMap::MakeE820(std::span<E820Entry> out) const {
  size_t count = 0;
  const auto put = [&](Range range, E820Type type) -> Status {
    if (count == out.size()) {
      return Status(Code::kResourceExhausted, kTooManyRanges);
    }
    size_t at = count++;
    for (; at > 0 && out[at - 1].address > range.begin; --at) {
      out[at] = out[at - 1];
    }
    out[at] = {range.begin, range.size(), type};
    return {};
  };

  IntervalSet<kMaxRanges> usable;
  for (const Range here : ram_.ranges()) {
    BASE_TRY(Without(here, kPageZero, [&](Range rest) {
      return Without(rest, kLegacyHole,
                     [&](Range piece) { return usable.Insert(piece); });
    }));
  }
  for (const Allocation& allocation : allocations()) {
    if (allocation.use == Use::kKernel) continue;
    BASE_TRY(usable.Remove(allocation.range));
    BASE_TRY(put(allocation.range, allocation.use == Use::kAcpi
                                       ? E820Type::kAcpiNvs
                                       : E820Type::kReserved));
  }
  for (const Range here : usable.ranges()) BASE_TRY(put(here, E820Type::kRam));
  for (const Range here : reserved_.ranges()) {
    BASE_TRY(put(here, E820Type::kReserved));
  }
  return count;
}

}  // namespace svsm
