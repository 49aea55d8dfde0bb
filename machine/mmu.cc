// SPDX-License-Identifier: Apache-2.0
#include "machine/mmu.h"

#include "base/bytes.h"

namespace machine {
namespace {

inline constexpr uint64_t kPresent = 1 << 0;
inline constexpr uint64_t kWritable = 1 << 1;
inline constexpr uint64_t kUser = 1 << 2;
inline constexpr uint64_t kAccessed = 1 << 5;
inline constexpr uint64_t kDirty = 1 << 6;
inline constexpr uint64_t kLeaf = 1 << 7;  // PS
inline constexpr uint64_t kLeafPat = 1 << 12;
inline constexpr uint64_t kNoExecute = uint64_t{1} << 63;
inline constexpr uint64_t kAddress = 0x000FFFFFFFFFF000;

inline constexpr uint32_t kErrorPresent = 1 << 0;
inline constexpr uint32_t kErrorWrite = 1 << 1;
inline constexpr uint32_t kErrorUser = 1 << 2;
inline constexpr uint32_t kErrorReserved = 1 << 3;
inline constexpr uint32_t kErrorFetch = 1 << 4;

uint32_t ErrorCodeOf(const Paging& paging, const WalkRequest& request) {
  uint32_t code = 0;
  if (request.access == Access::kWrite) code |= kErrorWrite;
  if (request.user) code |= kErrorUser;
  if (request.access == Access::kFetch &&
      ((paging.efer & kEferNxe) != 0 || (paging.cr4 & kCr4Smep) != 0)) {
    code |= kErrorFetch;
  }
  return code;
}

// Bits of an entry that must be 0. `level` counts from 4 down to 1.
uint64_t ReservedBits(const Paging& paging, uint64_t entry, int level) {
  uint64_t reserved = kAddress & ~((uint64_t{1} << paging.phys_bits) - 1) &
                      ~(uint64_t{1} << paging.c_bit);
  if ((paging.efer & kEferNxe) == 0) reserved |= kNoExecute;
  if (level == 4) reserved |= kLeaf;
  if ((level == 2 || level == 3) && (entry & kLeaf) != 0) {
    const uint64_t size = kPageSize << (9 * (level - 1));
    reserved |= kAddress & (size - 1) & ~kLeafPat;
  }
  return reserved;
}

WalkResult PageFault(uint32_t error_code) {
  return {.outcome = WalkOutcome::kPageFault, .error_code = error_code};
}

}  // namespace

WalkResult Walk(const Paging& paging, const GuestMemory& memory, Rmp& rmp,
                const WalkRequest& request) {
  if ((paging.cr0 & kCr0Pg) == 0) {
    return {.outcome = WalkOutcome::kTranslated,
            .gpa = request.gva & 0xFFFFFFFF,
            .c_bit = true,
            .mapped_c_bit = true,
            .readable = true,
            .writable = true,
            .executable = true};
  }
  if ((paging.efer & kEferLma) == 0 || (paging.cr4 & kCr4La57) != 0) {
    return {.outcome = WalkOutcome::kUnsupported};
  }
  const int64_t sign = static_cast<int64_t>(request.gva) >> 47;
  if (sign != 0 && sign != -1) {
    return {.outcome = WalkOutcome::kNonCanonical};
  }

  const uint64_t c_mask = uint64_t{1} << paging.c_bit;
  const uint32_t error_code = ErrorCodeOf(paging, request);
  bool writable = true, user = true, executable = true;
  uint64_t table = paging.cr3;
  for (int level = 4;; --level) {
    const uint64_t table_gpa = table & kAddress & ~c_mask;
    const base::MutableBytes page = memory.Private(table_gpa, kPageSize);
    Rule rule = page.empty() ? Rule::kNotRam : Rule::kNone;
    if (rule == Rule::kNone && request.for_real) {
      rule = rmp.Check(table_gpa, /*c_bit=*/true, Access::kRead,
                       /*user=*/false, paging.vmpl);
    }
    if (rule != Rule::kNone) {
      return {.outcome = WalkOutcome::kBadTable,
              .gpa = table_gpa,
              .c_bit = true,
              .rule = rule};
    }
    if (request.for_real && rmp.TakeStale(table_gpa)) memory.Garble(table_gpa);

    const size_t index = (request.gva >> (12 + 9 * (level - 1))) & 511;
    const auto slot = page.subspan(8 * index).first<8>();
    uint64_t entry = base::LoadLe<uint64_t>(slot);
    if ((entry & kPresent) == 0) return PageFault(error_code);
    if ((entry & ReservedBits(paging, entry, level)) != 0) {
      return PageFault(error_code | kErrorPresent | kErrorReserved);
    }
    writable &= (entry & kWritable) != 0;
    user &= (entry & kUser) != 0;
    executable &= (entry & kNoExecute) == 0;
    const bool leaf = level == 1 || (level <= 3 && (entry & kLeaf) != 0);
    if (!leaf) {
      if (request.for_real && (entry & kAccessed) == 0) {
        base::StoreLe<uint64_t>(entry | kAccessed, slot);
      }
      table = entry;
      continue;
    }

    WalkResult result;
    result.page_size = kPageSize << (9 * (level - 1));
    const uint64_t offset = request.gva & (result.page_size - 1);
    result.gpa =
        (entry & kAddress & ~c_mask & ~(result.page_size - 1)) + offset;
    result.c_bit = result.mapped_c_bit = (entry & c_mask) != 0;
    const bool reachable = request.user ? user : !(request.smap && user);
    result.readable = reachable;
    result.writable =
        reachable &&
        (writable || (!request.user && (paging.cr0 & kCr0Wp) == 0));
    result.executable =
        executable &&
        (request.user ? user : !(user && (paging.cr4 & kCr4Smep) != 0));
    const bool allowed = request.access == Access::kRead    ? result.readable
                         : request.access == Access::kWrite ? result.writable
                                                            : result.executable;
    if (!allowed) return PageFault(error_code | kErrorPresent);
    result.outcome = WalkOutcome::kTranslated;
    const uint64_t used =
        entry | kAccessed | (request.access == Access::kWrite ? kDirty : 0);
    if (request.for_real && used != entry) {
      base::StoreLe<uint64_t>(used, slot);
      entry = used;
    }
    if ((entry & kDirty) == 0) result.writable = false;
    return result;
  }
}

}  // namespace machine
