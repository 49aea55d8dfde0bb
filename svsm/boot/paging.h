// SPDX-License-Identifier: Apache-2.0
//
// Puts the image on its final page tables (page_tables.h) and switches on what
// enforces them: WP and NX are set by boot/entry.S, SMEP and SMAP here where
// the CPU has them.
#pragma once

#include <stdint.h>

namespace svsm {

// Call once, after everything in page 0 has been read. Asks the platform for
// CPUID and for its encryption mask.
void InstallPageTables();

// Maps the 4 KiB page of the image at `address` without the C-bit, or with it,
// and forgets the old translation.
void MapShared(uint64_t address);
void MapPrivate(uint64_t address);

// Where the 2 MiB at physical `address`, a multiple of that, can be reached
// until the next call, or UnmapWindow(). Private. Where that is the image, it
// is a writable mapping of code: not for longer than needed.
uint64_t MapWindow(uint64_t address);
void UnmapWindow();

}  // namespace svsm
