// SPDX-License-Identifier: Apache-2.0
//
// LaunchPlan: what the secure processor is asked to do, page by page, whatever
// file it came from. Measured by MeasurePlan(), written to and read from IGVM
// files by igvm_plan.h, executed by machine/.
//
// Spec: AMD 56860 rev. 1.58, SNP_LAUNCH_START, _UPDATE and _FINISH.
#pragma once

#include <stdint.h>

#include <optional>
#include <vector>

#include "launch/measure.h"
#include "sev/guest_policy.h"
#include "sev/page_info.h"

namespace launch {

// One SNP_LAUNCH_UPDATE of one 4 KiB page.
struct PlanPage {
  uint64_t gpa = 0;
  sev::PageType type = sev::PageType::kNormal;
  // 4096 bytes for kNormal and kVmsa; empty for the others.
  std::vector<uint8_t> contents;
};

// Pages that the loader fills in with the host's memory map before it launches
// them as kUnmeasured (they are in `pages` too).
struct ParameterArea {
  uint64_t gpa = 0;
  uint64_t size = 0;  // bytes, a multiple of 4096
};

// What else the loader writes into a page of `pages` of type kUnmeasured.
struct PlanParameter {
  enum class Kind : uint8_t {
    kVpCount,  // u32
    kMadt,     // the ACPI table, from the area's start
  };
  Kind kind = Kind::kVpCount;
  uint64_t gpa = 0;
  uint64_t room = 0;  // bytes up to the end of its area

  friend bool operator==(const PlanParameter&, const PlanParameter&) = default;
};

struct PlanIdBlock {
  std::vector<uint8_t> id_block;  // 96 bytes, sev/id_block.h
  std::vector<uint8_t> id_auth;   // 4096 bytes
};

struct LaunchPlan {
  uint64_t policy = sev::kPolicySmt | sev::kPolicyReservedMustBeOne;
  // In the order of measurement. The VMSA (at sev::kKvmVmsaGpa) is last, as KVM
  // measures it at SNP_LAUNCH_FINISH.
  std::vector<PlanPage> pages;
  std::optional<ParameterArea> memory_map;
  std::vector<PlanParameter> parameters;
  // Launched shared and neither measured nor validated.
  std::vector<uint64_t> shared_pages;
  std::optional<PlanIdBlock> id_block;
};

// The lowest address that two pages of the plan are at, shared ones included:
// the firmware refuses the second.
std::optional<uint64_t> PageTwice(const LaunchPlan& plan);

sev::LaunchDigest MeasurePlan(const LaunchPlan& plan);

// The same page by page: what each page puts into the chain, and the digest
// with it.
struct MeasuredPage {
  uint64_t gpa = 0;
  sev::PageType type = sev::PageType::kNormal;
  sev::LaunchDigest contents{};  // as LaunchMeasurement::AddPage() takes it
  sev::LaunchDigest digest{};
};
std::vector<MeasuredPage> MeasurePages(const LaunchPlan& plan);

}  // namespace launch
