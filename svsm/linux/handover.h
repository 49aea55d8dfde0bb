// SPDX-License-Identifier: Apache-2.0
//
// The hand-over, in two phases around the attestation. PlanKernel() finds a
// place for everything and writes all that is not secret: whatever can fail
// fails there, before a secret is released or a boot counted. FillKernel() adds
// what the grant brings. Leave() (leave.h) is the only function that starts a
// kernel.
//
// What the kernel gets is defined byte for byte: each page that is handed over
// with a meaning is written whole, since on SNP accepted memory holds noise
// until it is. Only free RAM, of which Linux expects nothing, stays as it was.
//
// Source: Linux Documentation/arch/x86/boot.rst, "64-bit Boot Protocol".
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "svsm/linux/boot_files.h"
#include "svsm/linux/cc_blob.h"
#include "svsm/linux/cpio.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"

namespace svsm {

// Of a secret that is yet to come: where it will stand in the initramfs, and
// the most bytes it may have.
struct SecretPlace {
  enum class Kind : uint8_t { kDisk, kFile };
  Kind kind = Kind::kFile;
  std::string_view place;  // DiskSecret::volume or FileSecret::path
  size_t max_size = 0;
};

struct PlanInput {
  std::span<const SecretPlace> secrets;
  // ORed into page-table entries and CR3: the C-bit on SNP, 0 else.
  uint64_t encryption_mask = 0;
  // On SNP: the kernel is to get FillInput::launch_pages.
  bool launch_pages = false;
};

struct FillInput {
  // Of those that were planned, in the same order, or none at all.
  std::span<const DiskSecret> disks;
  std::span<const FileSecret> files;
  // From crypto::Rng, drawn for this purpose. The caller's copy lies in SVSM
  // memory and goes with it.
  std::span<const uint8_t, 32> rng_seed;
  // If it was planned; the kernel gets copies of them, without VMPCK0.
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
// `length` bytes, a trailer of BootFiles::initrd_trailer bytes not counted:
// Linux wants a multiple of 4. The trailer goes behind the secrets.
constexpr uint64_t SecretsOffset(uint64_t length) {
  return (length + kGapBehindInitrd + 3) & ~uint64_t{3};
}

// How many bytes LoadBootFiles() shall keep behind the initrd: for `secrets`
// secrets whose size limits sum up to `bytes`.
constexpr uint64_t RoomBehindInitrd(size_t secrets, uint64_t bytes) {
  return CpioSegment::RoomFor(secrets, bytes) + kGapBehindInitrd + 3;
}

// Places kernel, ACPI tables, boot parameters, kept pages, page tables and the
// trampoline's data, writes what is not secret (the kernel's place up to
// init_size, the room behind the initrd), and tries the secrets' places at
// their full size. Runs the ACPI table loader, so call it once, when the
// manifest is made; nothing may be allocated from `map` afterwards, or it would
// not be overwritten. `out` has all addresses but those of the secrets.
//   SL4, SL6, SL36, SL40 to SL60.
base::Status PlanKernel(const BootFiles& files, MemoryMap& map,
                        const PhysicalWindow& window, const PlanInput& input,
                        Handover& out);

// Writes what PlanKernel() left out, each secret once, into its final place.
// Allocates nothing. Cannot fail with secrets that were planned; with others
// the room behind the initrd is cleared again, and nothing else written.
// Whoever interrupts it finds all there is to wipe behind the initrd, at
// `out.kept_pages` and at `out.rng_seed`.
//   SL50 to SL53.
base::Status FillKernel(const BootFiles& files, const PhysicalWindow& window,
                        const FillInput& input, Handover& out);

}  // namespace svsm
