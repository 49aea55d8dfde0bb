// SPDX-License-Identifier: Apache-2.0
//
// Launches a guest as host and secure processor do together: pages in the order
// of the plan, each measured, put into private memory and validated; then the
// ID block; then the keys.
//
// Spec: AMD 56860 rev. 1.58, SNP_LAUNCH_START, _UPDATE and _FINISH. The digest
// is chained here from the specification, not by launch/: tests compare the
// two.
#pragma once

#include <stdint.h>

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launch/launch_plan.h"
#include "machine/cpuid_table.h"
#include "psp/chip_model.h"
#include "psp/firmware.h"
#include "psp/report_maker.h"
#include "sev/page_info.h"
#include "sev/vmsa.h"

namespace machine {

using PageBytes = std::span<const uint8_t, sev::kMeasuredPageSize>;
using MutablePageBytes = std::span<uint8_t, sev::kMeasuredPageSize>;

// The memory into which a guest is launched.
class LaunchMemory {
 public:
  // Makes it private with these contents, assigned and validated, 4 KiB, all
  // permissions for VMPL0. False: not RAM, or launched before.
  virtual bool LaunchPage(uint64_t gpa, PageBytes contents) = 0;

 protected:
  ~LaunchMemory() = default;
};

struct MemoryMapEntry {
  uint64_t gpa = 0, size = 0;  // Multiples of a page.
  uint16_t type = 0;           // proto::kMemoryMapTypeMemory
};

// The page of proto/launch_note.h. What does not fit is left out.
std::array<uint8_t, sev::kMeasuredPageSize> MakeMemoryMapPage(
    std::span<const MemoryMapEntry> entries);

// An ACPI MADT for so many processors with a local APIC, of APIC IDs from 0 on.
// Nothing else is in it. ACPI 6.4, 5.2.12.
std::vector<uint8_t> MakeMadt(uint32_t processors);

struct LaunchOptions {
  std::vector<MemoryMapEntry> memory_map;
  CpuidTable cpuid;
  std::array<uint8_t, 32> host_data{};
  // Changes what the host writes: CPUID page and memory map. For tests.
  std::function<void(sev::PageType, MutablePageBytes)> edit_host_page;
};

struct Launched {
  psp::GuestContext context;  // As reports will say it.
  std::array<uint8_t, sev::kVmsaSize> vmsa{};
  std::vector<uint64_t> pages;  // Page addresses, without the VMSA's.
  uint64_t secrets_page = 0, cpuid_page = 0;  // 0: there is none.
};

// The chain of SNP_LAUNCH_UPDATE over a plan.
sev::LaunchDigest ChainDigest(const launch::LaunchPlan& plan);

// Gives `firmware` a new start (Firmware::Launch).
//   InvalidArgument: a plan that no firmware takes: no VMSA or not last, a page
//   of a wrong size or twice, outside RAM.
//   FailedPrecondition: a guest policy that SNP_LAUNCH_START of this `chip`
//   refuses (POLICY_FAILURE), an ID block that SNP_LAUNCH_FINISH refuses.
absl::StatusOr<Launched> Launch(const launch::LaunchPlan& plan,
                                const psp::ChipModel& chip,
                                const LaunchOptions& options,
                                LaunchMemory& memory, psp::Firmware& firmware);

}  // namespace machine
