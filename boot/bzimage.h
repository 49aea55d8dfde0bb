// SPDX-License-Identifier: Apache-2.0
//
// BzImage: what the loader needs from an x86 Linux kernel file.
//
// Source: Linux Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"
// and "64-bit Boot Protocol". The bytes are the guest owner's kernel if the
// verifier agrees, and the host's until then: every field is bounded.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/result.h"
#include "boot/reasons.h"

namespace boot {

struct BzImage {
  // Offset and size in the file of what runs at `load`.
  uint64_t payload_offset = 0;
  uint64_t payload_size = 0;
  // The setup header, copied verbatim into the zero page at 0x1F1.
  base::Bytes setup_header;
  uint16_t protocol = 0;  // 0x020F is 2.15
  uint64_t preferred_address = 0;
  uint64_t alignment = 0;  // power of two
  uint64_t init_size = 0;  // bytes needed from the load address on
  bool relocatable = false;
  uint64_t initrd_max = 0;         // highest address an initrd byte may have
  uint32_t command_line_size = 0;  // without the NUL
};

// kDataLoss: SL30 to SL34. The result points into `file`.
base::Result<BzImage> ParseBzImage(base::Bytes file);

// 64-bit entry point, relative to the load address.
inline constexpr uint64_t kEntry64 = 0x200;

}  // namespace boot
