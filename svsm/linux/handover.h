// SPDX-License-Identifier: Apache-2.0
//
// The hand-over: PrepareKernel() puts everything where Linux expects it, and
// Leave() is the only function that starts a kernel (promises P7 and P8).
//
// Leave() copies a position-independent trampoline out of the image and jumps
// to it; from there all SVSM memory is overwritten (image, stack, heap, and
// every Use::kSvsm allocation: channel and DMA pages), registers are cleared,
// and Linux's 64-bit entry runs (boot.rst, "64-bit Boot Protocol"). What stays
// behind holds no secret: the trampoline's code, its GDT, page tables and the
// list of overwritten ranges.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "svsm/linux/boot_files.h"
#include "svsm/linux/cpio.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"

namespace svsm {

// Proof that VMPCK0 and its key schedule are destroyed. Minted by
// svsm/platform/guest_request.h alone.
class VmpckDestroyed;

struct HandoverInput {
  std::span<const DiskSecret> disks;
  std::span<const FileSecret> files;
  // From crypto::Rng, drawn for this purpose; the caller wipes its copy (the
  // caller's copy lies in SVSM memory, so the jump does too).
  std::span<const uint8_t, 32> rng_seed;
  // ORed into page-table entries: the C-bit on SNP, 0 else.
  uint64_t encryption_mask = 0;
};

// All guest-physical.
struct Handover {
  uint64_t entry = 0;
  uint64_t zero_page = 0;
  uint64_t page_tables = 0;  // the PML4
  uint64_t trampoline = 0;   // its page; kept below 4 GiB, as all of these
  uint64_t initrd = 0;
  uint64_t initrd_size = 0;  // with the secrets
};

// Places kernel, initrd with secrets, ACPI tables, boot parameters, page
// tables and trampoline. The secrets are written once, into their final place;
// on an error that place has been cleared again.
//   SL4, SL6, SL36, SL37, SL40 to SL61.
base::Result<Handover> PrepareKernel(const BootFiles& files, MemoryMap& map,
                                     const PhysicalWindow& window,
                                     const HandoverInput& input);

// How many bytes to keep behind the initrd (LoadBootFiles): `secrets` is their
// number, `bytes` the sum of their size limits.
inline constexpr uint64_t RoomBehindInitrd(size_t secrets, uint64_t bytes) {
  return CpioSegment::RoomFor(secrets, bytes) + 4;
}

// Guest only (handover_leave.cc). Interrupts must be off, and every device that
// the SVSM used must be quiet. The proof says that no guest message can be made
// any more.
[[noreturn]] void Leave(const Handover& handover, const VmpckDestroyed& proof);

}  // namespace svsm
