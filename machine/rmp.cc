// SPDX-License-Identifier: Apache-2.0
#include "machine/rmp.h"

#include <algorithm>
#include <utility>

#include "sev/ghcb.h"

namespace machine {
namespace {

inline constexpr uint8_t kAllPermissions = sev::kVmplRead | sev::kVmplWrite |
                                           sev::kVmplUserExecute |
                                           sev::kVmplSupervisorExecute;

uint64_t BytesOf(RmpPageSize size) {
  return size == RmpPageSize::k2M ? kLargePageSize : kPageSize;
}

uint8_t PermissionFor(Access access, bool user) {
  switch (access) {
    case Access::kRead:
      return sev::kVmplRead;
    case Access::kWrite:
      return sev::kVmplWrite;
    case Access::kFetch:
      return user ? sev::kVmplUserExecute : sev::kVmplSupervisorExecute;
  }
  return kAllPermissions;
}

}  // namespace

std::string_view NameOf(Rule rule) {
  switch (rule) {
    case Rule::kNone:
      return "none";
    case Rule::kNotRam:
      return "nothing is at this guest physical address";
    case Rule::kNotAssigned:
      return "C=1 access to a page that is not assigned to the guest";
    case Rule::kNotValidated:
      return "C=1 access to a page that is not validated";
    case Rule::kSharedWrite:
      return "C=0 write to a private page";
    case Rule::kSharedRead:
      return "C=0 read of a private page (ciphertext)";
    case Rule::kVmplPermission:
      return "the VMPL lacks the permission";
    case Rule::kVmsaWrite:
      return "write to a VMSA page";
    case Rule::kSizeMismatch:
      return "4 KiB instruction on a 2 MiB RMP entry";
    case Rule::kImmutable:
      return "PVALIDATE or RMPADJUST of an immutable page";
    case Rule::kSharedInstruction:
      return "PVALIDATE or RMPADJUST through a C=0 mapping";
  }
  return "?";
}

Rmp::Rmp(const GuestMemory& memory) {
  for (const MemoryRange& range : memory.ranges()) {
    slots_.push_back(
        {range.gpa, std::vector<RmpEntry>(range.size / kPageSize)});
  }
}

const RmpEntry* Rmp::Find(uint64_t gpa) const {
  for (const Slot& slot : slots_) {
    if (gpa >= slot.gpa && (gpa - slot.gpa) / kPageSize < slot.entries.size()) {
      return &slot.entries[(gpa - slot.gpa) / kPageSize];
    }
  }
  return nullptr;
}

RmpEntry* Rmp::Find(uint64_t gpa) {
  return const_cast<RmpEntry*>(std::as_const(*this).Find(gpa));
}

std::span<RmpEntry> Rmp::Pages(uint64_t gpa, RmpPageSize size) {
  const uint64_t bytes = BytesOf(size);
  if (gpa % bytes != 0 || Find(gpa) == nullptr ||
      Find(gpa + bytes - kPageSize) != Find(gpa) + (bytes / kPageSize - 1)) {
    return {};
  }
  return {Find(gpa), bytes / kPageSize};
}

RmpEntry Rmp::Get(uint64_t gpa) const {
  const RmpEntry* const entry = Find(gpa);
  return entry == nullptr ? RmpEntry{} : *entry;
}

void Rmp::Psmash(uint64_t gpa) {
  for (RmpEntry& entry : Pages(gpa - gpa % kLargePageSize, RmpPageSize::k2M)) {
    entry.large = false;
  }
}

bool Rmp::AssignPrivate(uint64_t gpa, RmpPageSize size) {
  const std::span<RmpEntry> pages = Pages(gpa, size);
  if (pages.empty()) return false;
  if (size == RmpPageSize::k4K && pages[0].large) Psmash(gpa);
  RmpEntry entry;
  entry.assigned = true;
  entry.large = size == RmpPageSize::k2M;
  entry.stale = true;
  entry.permissions = {kAllPermissions, 0, 0, 0};
  std::ranges::fill(pages, entry);
  ++generation_;
  return true;
}

bool Rmp::MakeShared(uint64_t gpa, RmpPageSize size) {
  const std::span<RmpEntry> pages = Pages(gpa, size);
  if (pages.empty()) return false;
  if (size == RmpPageSize::k4K && pages[0].large) Psmash(gpa);
  std::ranges::fill(pages, RmpEntry{.shared = true});
  ++generation_;
  return true;
}

bool Rmp::LaunchPage(uint64_t gpa) {
  if (!AssignPrivate(gpa, RmpPageSize::k4K)) return false;
  RmpEntry& entry = *Find(gpa);
  entry.validated = true;
  entry.stale = false;
  return true;
}

// What both instructions check first. APM volume 3, PVALIDATE and RMPADJUST,
// "Operation".
Rule Rmp::FaultOf(std::span<const RmpEntry> pages, RmpPageSize size) const {
  for (const RmpEntry& entry : pages) {
    if (!entry.assigned) return Rule::kNotAssigned;
    if (entry.immutable) return Rule::kImmutable;
  }
  if (size == RmpPageSize::k4K && pages[0].large) return Rule::kSizeMismatch;
  return Rule::kNone;
}

RmpResult Rmp::Pvalidate(uint64_t gpa, RmpPageSize size, bool validate,
                         uint8_t vmpl) {
  if (vmpl != 0) return {.eax = sev::kRmpFailPermission};
  if (gpa % BytesOf(size) != 0) return {.eax = sev::kRmpFailInput};
  const std::span<RmpEntry> pages = Pages(gpa, size);
  if (pages.empty()) return {.fault = Rule::kNotRam};
  // The entry of the first page decides about the size; it must be assigned.
  if (!pages[0].assigned) return {.fault = Rule::kNotAssigned};
  if (size == RmpPageSize::k2M && !pages[0].large) {
    return {.eax = sev::kRmpFailSizeMismatch};
  }
  if (const Rule fault = FaultOf(pages, size); fault != Rule::kNone) {
    return {.fault = fault};
  }
  const bool unchanged = pages[0].validated == validate;
  if (unchanged && validate) ++validated_twice_;
  for (RmpEntry& entry : pages) {
    if (!unchanged) entry.permissions = {kAllPermissions, 0, 0, 0};
    entry.validated = validate;
  }
  ++generation_;
  return {.carry = unchanged};
}

RmpResult Rmp::Rmpadjust(uint64_t gpa, RmpPageSize size, uint64_t attributes,
                         uint8_t vmpl) {
  const uint64_t target = attributes & 0xFF;
  const auto permissions = static_cast<uint8_t>(attributes >> 8);
  const bool vmsa = (attributes & sev::kRmpAdjustVmsa) != 0;
  if (target > 3 || permissions > kAllPermissions || attributes >> 17 != 0 ||
      gpa % BytesOf(size) != 0) {
    return {.eax = sev::kRmpFailInput};
  }
  // Only a less privileged VMPL's permissions, and never more than one's own.
  if (target <= vmpl) return {.eax = sev::kRmpFailPermission};
  const std::span<RmpEntry> pages = Pages(gpa, size);
  if (pages.empty()) return {.fault = Rule::kNotRam};
  if (!pages[0].assigned) return {.fault = Rule::kNotAssigned};
  if (size == RmpPageSize::k2M && !pages[0].large) {
    return {.eax = sev::kRmpFailSizeMismatch};
  }
  if (const Rule fault = FaultOf(pages, size); fault != Rule::kNone) {
    return {.fault = fault};
  }
  if (!pages[0].validated) return {.fault = Rule::kNotValidated};
  // VMSA pages are VMPL0's business, and 4 KiB long.
  if ((vmsa != pages[0].vmsa && vmpl != 0) ||
      (permissions & ~pages[0].permissions[vmpl]) != 0) {
    return {.eax = sev::kRmpFailPermission};
  }
  if (vmsa && size == RmpPageSize::k2M) return {.eax = sev::kRmpFailInput};
  for (RmpEntry& entry : pages) {
    entry.permissions[target] = permissions;
    entry.vmsa = vmsa;
  }
  ++generation_;
  return {};
}

Rule Rmp::Check(uint64_t gpa, bool c_bit, Access access, bool user,
                uint8_t vmpl) const {
  const RmpEntry* const entry = Find(gpa);
  if (entry == nullptr) return Rule::kNotRam;
  if (!c_bit) {
    if (!entry->assigned) return Rule::kNone;
    return access == Access::kWrite ? Rule::kSharedWrite : Rule::kSharedRead;
  }
  if (!entry->assigned) return Rule::kNotAssigned;
  if (!entry->validated) return Rule::kNotValidated;
  if ((entry->permissions[vmpl & 3] & PermissionFor(access, user)) == 0) {
    return Rule::kVmplPermission;
  }
  if (entry->vmsa && access == Access::kWrite) return Rule::kVmsaWrite;
  return Rule::kNone;
}

bool Rmp::TakeStale(uint64_t gpa) {
  RmpEntry* const entry = Find(gpa);
  if (entry == nullptr || !entry->stale) return false;
  entry->stale = false;
  return true;
}

}  // namespace machine
