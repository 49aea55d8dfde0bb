// SPDX-License-Identifier: Apache-2.0
//
// MemoryMap: the one place that knows what each page is for.
//
// From the host's map (copied once by the caller) it makes a set of accepted
// RAM; from that it hands out private ranges, top-down; at the end it writes
// the e820 table that the kernel gets. The host's map decides only how much
// memory there is: a map that overlaps or wraps is refused, and what the
// kernel is told is made here. Design sections 2 and 6.
//
// The image and everything of Use::kSvsm is given to the kernel as *reserved*,
// although it is overwritten before the jump: a daemon or a DMA transfer that
// is late then writes into pages nobody uses, and the layout stays the same
// once the SVSM remains resident.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/result.h"
#include "svsm/memory/interval_set.h"

namespace svsm {

// struct hvm_memmap_table_entry of the PVH boot ABI (Xen,
// public/arch-x86/hvm/start_info.h), reserved field left out.
struct HostMapEntry {
  uint64_t address = 0;
  uint64_t size = 0;  // bytes
  uint32_t type = 0;  // as e820: 1 RAM, everything else is not ours
};

// What a range is for, and so what becomes of it at the jump.
enum class Use : uint8_t {
  kSvsm,    // overwritten, then reserved: image, channel and DMA pages
  kKernel,  // kept and RAM: kernel, initrd, boot parameters, trampoline
  kAcpi,    // kept, ACPI NVS: tables, which include the writable FACS
  kKept,    // kept and reserved: SNP's secrets and CPUID pages, which Linux
            // maps by themselves and refuses to find in RAM
};

enum class E820Type : uint32_t { kRam = 1, kReserved = 2, kAcpiNvs = 4 };
struct E820Entry {
  uint64_t address = 0;
  uint64_t size = 0;
  E820Type type = E820Type::kReserved;
};

class MemoryMap {
 public:
  static constexpr size_t kMaxHostEntries = 128;
  static constexpr size_t kMaxAllocations = 32;
  static constexpr size_t kMaxRanges = 64;
  // Nothing is allocated below 1 MiB (firmware's data and Linux's real-mode
  // trampoline live there) nor above 4 GiB (the image's page tables, and those
  // of the jump, end there).
  static constexpr uint64_t kLowest = 0x100000;
  static constexpr uint64_t k4GiB = uint64_t{1} << 32;
  // RAM ends here at most: below every C-bit of real machines (47 and 51) and
  // below the page of the VMSA (sev::kKvmVmsaGpa).
  static constexpr uint64_t kHighest = uint64_t{1} << 46;
  // Nor is there more of it than this. On SNP all of it is validated before
  // anything else, and only then does the host's word show to be false: this
  // bounds that work (2^20 pages of 2 MiB).
  static constexpr uint64_t kMostRam = uint64_t{1} << 41;

  // Devices, APICs and the firmware's ROM: no PC has RAM there. The launch of a
  // flat ROM has validated the ROM's pages, and a page that is accepted twice
  // may be two pages, between which the host then chooses.
  static constexpr Range kDeviceHole{0xC0000000, k4GiB};

  // Where kernels look for the tables of a PC's firmware. Never RAM to them.
  static constexpr Range kRomArea{0xC0000, kLowest};

  struct Allocation {
    Range range;
    Use use;
  };

  // Checks the host's map and takes `image` (page aligned, bss and stack
  // included) out of it. Call once, first. Entries need not be sorted;
  // zero-size entries of type 0 (qboot writes one) are skipped.
  //   kDataLoss: SL2 wraps or is empty, SL3 overlaps, SL5 image is not in RAM,
  //   SL7 no RAM at all, SL9 RAM above kHighest, or over kMostRam, SL17 RAM in
  //   kDeviceHole.
  //   kResourceExhausted: SL4.
  base::Status Accept(std::span<const HostMapEntry> entries, Range image);

  // `size` bytes rounded up to pages, as high as possible, with end <= below.
  // `alignment` is a power of two, 4096 at least. Not zeroed.
  //   kResourceExhausted: SL6 no such place, SL4 table full.
  base::Result<Range> Allocate(uint64_t size, uint64_t alignment,
                               uint64_t below, Use use);

  // Exactly `range`.
  //   kResourceExhausted: SL6 it is not all free RAM, SL4 table full.
  base::Status AllocateAt(Range range, Use use);

  // RAM as accepted, allocations included.
  std::span<const Range> ram() const { return ram_.ranges(); }

  // RAM that the launch has not validated, for Platform::Accept(): all but the
  // image and 0xA0000 to 0x100000, where no map can be believed. Sorted.
  // Returns the number of ranges.
  //   kResourceExhausted: SL4.
  base::Result<size_t> MakeUnaccepted(std::span<Range> out) const;

  // Whether the host shows all of kRomArea as RAM. Some kernels read it and die
  // on SNP unless it is private memory (Linux: find_ibft_in_mem, where there is
  // no EFI), so the image may accept it, and then has it overwritten.
  bool HasRomArea() const { return ram_.Contains(kRomArea); }
  void WipeRomArea() { wipe_rom_area_ = true; }

  // What must be overwritten before a kernel starts: Use::kSvsm, and RAM below
  // kLowest, where host firmware left tables that a kernel looks for (above
  // 0xA0000 only after WipeRomArea()). Sorted by
  // nothing. Returns the number of ranges.
  //   kResourceExhausted: SL4.
  base::Result<size_t> MakeWipes(std::span<Range> out) const;
  // The image is the first.
  std::span<const Allocation> allocations() const {
    return {allocations_.data(), allocation_count_};
  }

  // The kernel's map, sorted. Page 0 and 0xA0000 to 0x100000 are never RAM.
  // Returns the number of entries.
  //   kResourceExhausted: SL4.
  base::Result<size_t> MakeE820(std::span<E820Entry> out) const;

 private:
  base::Status Record(Range range, Use use);

  IntervalSet<kMaxRanges> ram_;
  IntervalSet<kMaxRanges> reserved_;  // the host's non-RAM, rounded outwards
  IntervalSet<kMaxRanges>
      free_;  // ram_ from kLowest to k4GiB, minus allocations
  std::array<Allocation, kMaxAllocations> allocations_{};
  size_t allocation_count_ = 0;
  bool wipe_rom_area_ = false;
};

}  // namespace svsm
