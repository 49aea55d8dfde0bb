// SPDX-License-Identifier: Apache-2.0
#include "svsm/memory/memory_map_page.h"

#include "base/bytes.h"

namespace svsm {
namespace {

using base::Code;
using base::Status;

constexpr uint32_t kE820Ram = 1;
constexpr uint32_t kE820Reserved = 2;

}  // namespace

base::Result<size_t> ReadMemoryMapPage(
    std::span<const uint8_t, proto::kMemoryMapPageSize> page,
    std::span<HostMapEntry> out) {
  base::ByteReader in{base::Bytes(page)};
  size_t count = 0;
  while (in.remaining() >= proto::kMemoryMapEntrySize) {
    BASE_TRY_ASSIGN(const uint64_t first_page, in.U64());
    BASE_TRY_ASSIGN(const uint64_t pages, in.U64());
    BASE_TRY_ASSIGN(const uint16_t type, in.U16());
    BASE_TRY(in.Take(2 + 4));  // flags, reserved
    if (pages == 0) {
      if (count == 0) return Status(Code::kDataLoss, kNoMemoryMap);
      return count;
    }
    if (count == out.size()) {
      return Status(Code::kResourceExhausted, kTooManyRanges);
    }
    HostMapEntry& entry = out[count++];
    if (__builtin_mul_overflow(first_page, kPageSize, &entry.address) ||
        __builtin_mul_overflow(pages, kPageSize, &entry.size)) {
      return Status(Code::kDataLoss, kRangeWraps);
    }
    entry.type = type == proto::kMemoryMapTypeMemory ? kE820Ram : kE820Reserved;
  }
  return Status(Code::kDataLoss, kMapUnterminated);
}

}  // namespace svsm
