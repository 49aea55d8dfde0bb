// SPDX-License-Identifier: Apache-2.0
//
// The memory map that a launch leaves in the image's memory-map page
// (proto/launch_note.h): IGVM's memory map parameter.
//
// Not measured: the host writes every byte of it. It is private memory by the
// time it is read, so it cannot change; MemoryMap::Accept() judges what it
// says. Source: IGVM, IGVM_VHS_MEMORY_MAP_ENTRY.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>

#include "base/result.h"
#include "proto/launch_note.h"
#include "svsm/memory/memory_map.h"

namespace svsm {

// Reads the entries up to the empty one into `out` and returns their number.
// Memory becomes e820's type 1, every other type 2; flags are not looked at.
//   kDataLoss: SL2 an entry wraps, SL7 the first one is empty, SL8 there is no
//   empty one. kResourceExhausted: SL4 more entries than `out` holds.
base::Result<size_t> ReadMemoryMapPage(
    std::span<const uint8_t, proto::kMemoryMapPageSize> page,
    std::span<HostMapEntry> out);

}  // namespace svsm
