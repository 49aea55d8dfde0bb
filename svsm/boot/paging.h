// SPDX-License-Identifier: Apache-2.0
//
// Puts the image on its final page tables (page_tables.h) and switches on what
// enforces them: WP and NX are set by boot/entry.S, SMEP and SMAP here where
// the CPU has them.
#pragma once

namespace svsm {

// Call once, after everything in page 0 has been read.
void InstallPageTables();

}  // namespace svsm
