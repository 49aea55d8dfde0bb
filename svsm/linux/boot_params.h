// SPDX-License-Identifier: Apache-2.0
//
// The "zero page" that tells Linux what it was given.
//
// Source: Linux Documentation/arch/x86/zero-page.rst and boot.rst; offsets in
// boot_params.cc. Little-endian; addresses are guest-physical.
#pragma once

#include <stdint.h>

#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "svsm/linux/bzimage.h"
#include "svsm/memory/memory_map.h"

namespace svsm {

inline constexpr size_t kZeroPageSize = 4096;
inline constexpr size_t kMaxZeroPageE820 = 128;  // E820_MAX_ENTRIES_ZEROPAGE
inline constexpr size_t kRngSeedSize = 32;

struct BootParams {
  uint64_t load_address = 0;
  uint64_t command_line = 0;  // NUL-terminated
  uint64_t initrd = 0;
  uint64_t initrd_size = 0;
  uint64_t acpi_rsdp = 0;
  uint64_t setup_data = 0;  // 0: none
  std::span<const E820Entry> e820;
};

// Writes the whole page.
//   kResourceExhausted: SL4 too many e820 entries.
base::Status WriteZeroPage(const BzImage& image, const BootParams& params,
                           std::span<uint8_t, kZeroPageSize> out);

// In a page that is written already: where the initrd is; 0 and 0: there is
// none.
void WriteInitrd(uint64_t initrd, uint64_t size,
                 std::span<uint8_t, kZeroPageSize> page);

// A setup_data node of type SETUP_RNG_SEED; `next` is the address of the one
// after it, 0 if there is none. Linux mixes it in and overwrites it.
inline constexpr size_t kRngSeedNodeSize = 16 + kRngSeedSize;
void WriteRngSeed(std::span<const uint8_t, kRngSeedSize> seed, uint64_t next,
                  std::span<uint8_t, kRngSeedNodeSize> out);

}  // namespace svsm
