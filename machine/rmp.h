// SPDX-License-Identifier: Apache-2.0
//
// The reverse map table of one guest, seen from guest physical addresses: which
// pages are assigned to the guest, which of those it has validated, and what
// each VMPL may do with them.
//
// Spec: AMD 24593 (APM volume 2), 15.36.3 to 15.36.10; instructions: AMD 24594
// (APM volume 3), PVALIDATE, RMPADJUST, RMPUPDATE, PSMASH. Bookkeeping only: no
// memory is read or written, no fault is raised. A change that a CPU must
// notice moves generation().
#pragma once

#include <stdint.h>

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "machine/memory.h"

namespace machine {

enum class RmpPageSize : uint8_t {
  k4K = 0,
  k2M = 1
};  // as in RCX of PVALIDATE

enum class Access : uint8_t { kRead, kWrite, kFetch };

// What an access or an instruction broke. All but kNotValidated and kSharedRead
// are a nested page fault on hardware: the hypervisor decides, the guest cannot
// go on.
enum class Rule : uint8_t {
  kNone,
  kNotRam,             // nothing is behind this guest physical address
  kNotAssigned,        // C=1 (or fetch, or page table) and not assigned
  kNotValidated,       // C=1 and assigned, but not validated: #VC 0x404
  kSharedWrite,        // C=0 write to a page that is assigned
  kSharedRead,         // C=0 read of one: no fault, but ciphertext
  kVmplPermission,     // the VMPL lacks the permission
  kVmsaWrite,          // write to a page that is a VMSA
  kSizeMismatch,       // 4 KiB instruction on a 2 MiB entry: PSMASH, retry
  kImmutable,          // PVALIDATE or RMPADJUST of a firmware page
  kSharedInstruction,  // PVALIDATE or RMPADJUST through a C=0 mapping
};
std::string_view NameOf(Rule rule);

struct RmpEntry {
  bool assigned = false;
  bool validated = false;
  bool immutable = false;
  bool vmsa = false;
  bool large = false;  // part of a 2 MiB entry; all 512 pages say the same
  // The host made it shared, rather than never assigned it.
  bool shared = false;
  // Assigned since anybody wrote it: GuestMemory::Garble() before first use.
  bool stale = false;
  std::array<uint8_t, 4> permissions = {};  // by VMPL; sev::kVmplRead...

  friend bool operator==(const RmpEntry&, const RmpEntry&) = default;
};

// What PVALIDATE and RMPADJUST do: a nested page fault (`fault`), or EAX and
// CF.
struct RmpResult {
  Rule fault = Rule::kNone;
  uint32_t eax = 0;    // sev::kRmpSuccess, kRmpFailInput...
  bool carry = false;  // PVALIDATE: the page was in that state already

  friend bool operator==(const RmpResult&, const RmpResult&) = default;
};

class Rmp {
 public:
  // `memory` outlives the Rmp. Nothing is assigned.
  explicit Rmp(const GuestMemory& memory);

  // The entry in force for the page that holds gpa; all false where no RAM is.
  RmpEntry Get(uint64_t gpa) const;

  // --- The host: RMPUPDATE and PSMASH. False: not RAM, or not aligned.
  // (Re)assigns: not validated, VMPL0 may do everything, contents stale.
  // A 2 MiB entry that a 4 KiB page is taken out of is smashed first.
  bool AssignPrivate(uint64_t gpa, RmpPageSize size);
  bool MakeShared(uint64_t gpa, RmpPageSize size);
  // Splits the 2 MiB entry around gpa into 512 with the same state.
  void Psmash(uint64_t gpa);

  // --- The secure processor: SNP_LAUNCH_UPDATE of one 4 KiB page.
  bool LaunchPage(uint64_t gpa);

  // --- The guest. `gpa` is where the operand translates to, by C=1.
  RmpResult Pvalidate(uint64_t gpa, RmpPageSize size, bool validate,
                      uint8_t vmpl);
  // `attributes` as in RDX: 7:0 target VMPL, 15:8 permissions, 16 VMSA.
  RmpResult Rmpadjust(uint64_t gpa, RmpPageSize size, uint64_t attributes,
                      uint8_t vmpl);

  // Whether the access is allowed; kNone if so.
  Rule Check(uint64_t gpa, bool c_bit, Access access, bool user,
             uint8_t vmpl) const;

  // Clears `stale`; true if it was set, and the caller must Garble() the page.
  bool TakeStale(uint64_t gpa);

  // Changes whenever a translation that was allowed may no longer be.
  uint64_t generation() const { return generation_; }
  // How often a page that was validated was to be validated again.
  uint64_t validated_twice() const { return validated_twice_; }

 private:
  struct Slot {
    uint64_t gpa = 0;
    std::vector<RmpEntry> entries;
  };
  RmpEntry* Find(uint64_t gpa);
  const RmpEntry* Find(uint64_t gpa) const;
  // The pages that an instruction or a host's call is about; empty if not RAM.
  std::span<RmpEntry> Pages(uint64_t gpa, RmpPageSize size);
  Rule FaultOf(std::span<const RmpEntry> pages, RmpPageSize size) const;

  std::vector<Slot> slots_;
  uint64_t generation_ = 0;
  uint64_t validated_twice_ = 0;
};

}  // namespace machine
