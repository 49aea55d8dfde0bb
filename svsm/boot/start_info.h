// SPDX-License-Identifier: Apache-2.0
//
// What the PVH loader says about the machine: only its memory map is used.
//
// Source: Xen public/arch-x86/hvm/start_info.h, versions 1 and later. The host
// wrote it all, in memory the image will reuse (the map may lie in page 0,
// which is about to be unmapped), so it is copied out once and first of all.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/result.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"

namespace svsm {

struct StartInfo {
  std::array<HostMapEntry, MemoryMap::kMaxHostEntries> entries{};
  size_t count = 0;

  std::span<const HostMapEntry> map() const {
    return std::span<const HostMapEntry>(entries).first(count);
  }
};

// Copies from guest-physical `address`; nothing at or above `limit`, the end of
// `memory`, is read. MemoryMap::Accept judges the entries.
//   kDataLoss (kStartInfo): wrong magic, no version with a map, too many
//   entries, or something outside memory.
base::Status ReadStartInfo(const PhysicalWindow& memory, uint64_t limit,
                           uint64_t address, StartInfo& out);

}  // namespace svsm
