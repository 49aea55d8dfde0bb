// SPDX-License-Identifier: Apache-2.0
//
// The page tables that the image runs on: an identity map of the low 4 GiB in
// which nothing is both writable and executable.
//
//   page 0                    unmapped: a null pointer faults
//   image text                R-X
//   image rodata, .config     R--, no execute
//   image data, bss           RW-, no execute
//   below the stack           unmapped: an overflow faults
//   all the rest              RW-, no execute
//   4 GiB to 5 GiB            the window, unmapped but while it is used: 512
//                             places of 2 MiB for memory anywhere; one is used
//
// 4 GiB, because the loader puts everything below. Spec: [amd/vol2] 5.3,
// "Long-Mode Page Translation". Pure; paging.cc installs the result.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "svsm/memory/interval_set.h"

namespace svsm {

inline constexpr uint64_t kLargePageSize = 2 * 1024 * 1024;
inline constexpr uint64_t kIdentityLimit = uint64_t{4} << 30;
// Mapped in 4 KiB pages; the image lies here (image.ld).
inline constexpr uint64_t kFineLimit = 8 * 1024 * 1024;

// Virtual address of the window.
inline constexpr uint64_t kWindow = kIdentityLimit;

inline constexpr uint64_t kPagePresent = 1;
inline constexpr uint64_t kPageWritable = 2;
inline constexpr uint64_t kPageLarge = 1 << 7;
inline constexpr uint64_t kPageNoExecute = uint64_t{1} << 63;

// Physical addresses; all page aligned, ends exclusive.
struct ImageLayout {
  uint64_t text_start, text_end;
  uint64_t read_only_start, read_only_end;  // rodata and .config
  uint64_t stack_guard;                     // one page
};

struct PageTables {
  static constexpr size_t kEntries = 512;
  static constexpr size_t kDirectories = kIdentityLimit >> 30;
  static constexpr size_t kFineTables = kFineLimit / kLargePageSize;

  alignas(kPageSize) uint64_t root[kEntries];
  alignas(kPageSize) uint64_t pointers[kEntries];
  alignas(kPageSize) uint64_t directories[kDirectories][kEntries];
  alignas(kPageSize) uint64_t fine[kFineTables][kEntries];
  alignas(kPageSize) uint64_t window[kEntries];
};

// Fills `tables`, which lie at physical address `at`. `private_mask` is ORed
// into every entry: the C-bit on SNP, else 0.
void BuildPageTables(const ImageLayout& image, uint64_t at,
                     uint64_t private_mask, PageTables& tables);

// The entry of the 4 KiB page at `address`, which is below kFineLimit.
inline uint64_t& FineEntry(PageTables& tables, uint64_t address) {
  return tables
      .fine[address / kLargePageSize][address % kLargePageSize / kPageSize];
}

// The window shows the 2 MiB at physical `address`, a multiple of that, or
// nothing. The TLB is the caller's.
inline void OpenWindow(PageTables& tables, uint64_t address,
                       uint64_t private_mask) {
  tables.window[0] = address | kPagePresent | kPageWritable | kPageLarge |
                     kPageNoExecute | private_mask;
}
inline void CloseWindow(PageTables& tables) { tables.window[0] = 0; }

}  // namespace svsm
