// SPDX-License-Identifier: Apache-2.0
//
// The launch note: where an image wants what a launch puts into its memory.
// An ELF note in a PT_NOTE segment, written by svsm/boot/launch_note.S and read
// by launch/, so that neither knows the other's layout.
//
//   name "Forelock\0" (9, padded to 12), type 1, descriptor kLaunchNoteSize
//   bytes: little-endian u64, guest-physical
//
// Every page named lies in the memory of a PT_LOAD, behind its file bytes.
// Pages there that the note does not name are launched as pages of zeros:
// measured, and validated by the firmware, so that the image starts in memory
// that no host byte has touched.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace proto {

inline constexpr char kLaunchNoteName[] = "Forelock";
inline constexpr uint32_t kLaunchNoteType = 1;
inline constexpr uint64_t kLaunchNoteVersion = 1;

// Offsets in the descriptor.
inline constexpr size_t kNoteVersion = 0x00;
// 32-bit protected mode, flat segments, paging off, as PVH but for this entry.
inline constexpr size_t kNoteSnpEntry = 0x08;
inline constexpr size_t kNoteSecretsPage = 0x10;
inline constexpr size_t kNoteCpuidPage = 0x18;
// The host's memory map, kMemoryMapPageSize bytes, unmeasured.
inline constexpr size_t kNoteMemoryMapPage = 0x20;
inline constexpr size_t kLaunchNoteSize = 0x28;

// IGVM's memory map: entries of 24 bytes, an empty one (no pages) ends it.
//   0 first page number, 8 number of pages (u64 each), 16 type (u16),
//   18 flags (u16), 20 reserved (u32)
// Source: IGVM, IGVM_VHS_MEMORY_MAP_ENTRY.
inline constexpr size_t kMemoryMapPageSize = 4096;
inline constexpr size_t kMemoryMapEntrySize = 24;
inline constexpr uint16_t kMemoryMapTypeMemory = 0;

}  // namespace proto
