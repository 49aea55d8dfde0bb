// SPDX-License-Identifier: Apache-2.0
//
// The page that outlives the SVSM for a moment, and its page tables. Layout
// shared by C++ and trampoline.S.
//
//   0x000 code (copied by Leave)     0x440 entry, zero page (8 bytes each)
//   0x400 GDT, 4 descriptors         0x450 ranges to overwrite: address and
//   0x420 GDTR                             number of 8-byte words, 8 bytes
//   0x430 IDTR, empty                      each; 0, 0 ends the list
//   0x1000 end; the stack (16 bytes, for a far return) grows down from there
#pragma once

#define FORELOCK_TRAMPOLINE_CODE_LIMIT 0x180
#define FORELOCK_TRAMPOLINE_GDT 0x400
#define FORELOCK_TRAMPOLINE_GDTR 0x420
#define FORELOCK_TRAMPOLINE_IDTR 0x430
#define FORELOCK_TRAMPOLINE_ENTRY 0x440
#define FORELOCK_TRAMPOLINE_ZERO_PAGE 0x448
#define FORELOCK_TRAMPOLINE_RANGES 0x450
#define FORELOCK_TRAMPOLINE_STACK 0x1000

// boot.rst: __BOOT_CS and __BOOT_DS.
#define FORELOCK_BOOT_CS 0x10
#define FORELOCK_BOOT_DS 0x18

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "svsm/memory/interval_set.h"

namespace svsm {

inline constexpr size_t kTrampolineSize = 4096;
// One PML4, one page-directory-pointer table, four page directories: 4 GiB in
// 2 MiB pages, one to one.
inline constexpr size_t kPageTablesSize = 6 * 4096;

// All but the code. `address` is the page's; `wipes` are the ranges to
// overwrite, all below 4 GiB (MemoryMap::MakeWipes).
//   kResourceExhausted: SL60 the list is full.
base::Status WriteTrampolineData(std::span<const Range> wipes, uint64_t address,
                                 uint64_t entry, uint64_t zero_page,
                                 std::span<uint8_t, kTrampolineSize> out);

// `address` is of out[0], page aligned; `mask` is ORed into each entry.
void WritePageTables(uint64_t address, uint64_t mask,
                     std::span<uint8_t, kPageTablesSize> out);

}  // namespace svsm

#endif  // __ASSEMBLER__
