// SPDX-License-Identifier: Apache-2.0
//
// The page walk of an SNP guest: long mode's 4 levels with the C-bit, or no
// paging at all. Table pages are private whatever the C-bit in their parent
// says, and so is everything while paging is off.
//
// Spec: AMD 24593 (APM volume 2), 5.3 (long-mode translation), 5.6 (access
// rights), 8.4.2 (#PF error code), 15.34.5 and 15.36.10 (C-bit, RMP checks).
#pragma once

#include <stdint.h>

#include <optional>

#include "machine/memory.h"
#include "machine/rmp.h"

namespace machine {

inline constexpr uint64_t kCr0Pe = 1 << 0;
inline constexpr uint64_t kCr0Wp = 1 << 16;
inline constexpr uint64_t kCr0Pg = uint64_t{1} << 31;
inline constexpr uint64_t kCr4Pae = 1 << 5;
inline constexpr uint64_t kCr4La57 = 1 << 12;
inline constexpr uint64_t kCr4Smep = 1 << 20;
inline constexpr uint64_t kCr4Smap = 1 << 21;
inline constexpr uint64_t kEferLme = 1 << 8;
inline constexpr uint64_t kEferLma = 1 << 10;
inline constexpr uint64_t kEferNxe = 1 << 11;

struct Paging {
  uint64_t cr0 = 0;
  uint64_t cr3 = 0;
  uint64_t cr4 = 0;
  uint64_t efer = 0;
  int c_bit = 51;
  int phys_bits = 48;
  uint8_t vmpl = 0;
};

struct WalkRequest {
  uint64_t gva = 0;
  Access access = Access::kRead;
  bool user = false;
  bool smap = false;  // user pages are out of bounds
  // Sets Accessed and Dirty, checks the RMP, and gives stale table pages their
  // garbage; false: looks only.
  bool for_real = true;
};

enum class WalkOutcome : uint8_t {
  kTranslated,
  kPageFault,     // error_code
  kNonCanonical,  // #GP
  kBadTable,      // rule, gpa: of the table
  kUnsupported,   // paging without long mode, or with five levels
};

struct WalkResult {
  WalkOutcome outcome = WalkOutcome::kPageFault;
  uint64_t gpa = 0;
  bool c_bit = false;
  bool mapped_c_bit = false;  // the same, and stays so for a fetch
  bool ciphertext = false;    // set by who checks: a C=0 read of a private page
  // What the entries allow besides the access that was asked for; no write
  // before Dirty is set.
  bool readable = false;
  bool writable = false;
  bool executable = false;
  uint64_t page_size = kPageSize;
  uint32_t error_code = 0;
  Rule rule = Rule::kNone;
};

WalkResult Walk(const Paging& paging, const GuestMemory& memory, Rmp& rmp,
                const WalkRequest& request);

}  // namespace machine
