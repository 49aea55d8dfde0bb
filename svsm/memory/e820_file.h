// SPDX-License-Identifier: Apache-2.0
//
// The host's memory map as QEMU's fw_cfg file etc/e820, for a start that
// brings none: an SNP launch of a flat ROM.
//
// The host writes every byte of it; MemoryMap::Accept() judges what it says.
// Source: QEMU hw/i386/e820_memory_layout.h, struct e820_entry.
#pragma once

#include <stddef.h>

#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "svsm/memory/memory_map.h"

namespace svsm {

inline constexpr char kE820FileName[] = "etc/e820";
inline constexpr size_t kE820FileEntrySize = 20;
inline constexpr size_t kMaxE820FileSize =
    MemoryMap::kMaxHostEntries * kE820FileEntrySize;

// Address, size and type of each entry, little-endian; returns their number.
//   kDataLoss: SL7 no entry, or part of one. kResourceExhausted: SL4 more than
//   `out` holds.
base::Result<size_t> ReadE820File(base::Bytes file,
                                  std::span<HostMapEntry> out);

}  // namespace svsm
