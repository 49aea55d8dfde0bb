// SPDX-License-Identifier: Apache-2.0
//
// The hand-over: PrepareKernel() puts everything where Linux expects it;
// Leave() (leave.h) is the only function that starts a kernel.
//
// Source: Linux Documentation/arch/x86/boot.rst, "64-bit Boot Protocol".
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <optional>
#include <span>

#include "base/result.h"
#include "svsm/linux/boot_files.h"
#include "svsm/linux/cc_blob.h"
#include "svsm/linux/cpio.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"

namespace svsm {

struct HandoverInput {
  std::span<const DiskSecret> disks;
  std::span<const FileSecret> files;
  // From crypto::Rng, drawn for this purpose. The caller's copy lies in SVSM
  // memory and goes with it.
  std::span<const uint8_t, 32> rng_seed;
  // ORed into page-table entries and CR3: the C-bit on SNP, 0 else.
  uint64_t encryption_mask = 0;
  // On SNP; the kernel gets copies of them, without VMPCK0.
  std::optional<LaunchPages> launch_pages;
};

// All guest-physical, all below 4 GiB.
struct Handover {
  uint64_t entry = 0;
  uint64_t zero_page = 0;
  uint64_t page_tables = 0;  // the PML4
  uint64_t encryption_mask = 0;
  uint64_t trampoline = 0;  // its page
  uint64_t initrd = 0;
  uint64_t initrd_size = 0;  // with the secrets
  // Where the secrets are, for tests and the console.
  uint64_t secrets = 0;
  uint64_t secrets_size = 0;
  uint64_t rng_seed = 0;    // its setup_data node, kRngSeedNodeSize bytes
  uint64_t kept_pages = 0;  // kKeptPagesSize bytes; 0: not on SNP
};

// Zeros between the initrd and the archive with the secrets, at least. Linux
// skips zeros between archives, and only they tell its lz4 decompressor that
// the stream is over: it takes any other 32-bit word as the next chunk's
// length.
inline constexpr uint64_t kGapBehindInitrd = 8;

// Offset of the archive with the secrets from the begin of an initrd of
// `length` bytes: Linux wants a multiple of 4.
constexpr uint64_t SecretsOffset(uint64_t length) {
  return (length + kGapBehindInitrd + 3) & ~uint64_t{3};
}

// How many bytes LoadBootFiles() shall keep behind the initrd: for `secrets`
// secrets whose size limits sum up to `bytes`.
constexpr uint64_t RoomBehindInitrd(size_t secrets, uint64_t bytes) {
  return CpioSegment::RoomFor(secrets, bytes) + kGapBehindInitrd + 3;
}

// Places kernel, initrd with secrets, ACPI tables, boot parameters, page tables
// and the trampoline's data. The secrets are written once, into their final
// place; on an error that place and the kept pages are cleared again. `out` has
// the addresses of kept pages and seed before anything stands there: whoever
// interrupts this can wipe them. Call last: nothing may be allocated from `map`
// afterwards, or it would not be overwritten.
//   SL4, SL6, SL36, SL40 to SL60.
base::Status PrepareKernel(const BootFiles& files, MemoryMap& map,
                           const PhysicalWindow& window,
                           const HandoverInput& input, Handover& out);

}  // namespace svsm
