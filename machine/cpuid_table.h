// SPDX-License-Identifier: Apache-2.0
//
// What CPUID answers on the machine: an EPYC of the wanted model, without what
// the emulated CPU does not execute (AVX, SHA, XSAVE). The hypervisor answers
// from it, and the loader makes the CPUID page of it.
//
// Spec: AMD 24594 (APM volume 3), appendix E; AMD 56860 rev. 1.58, "CPUID
// Page".
#pragma once

#include <stdint.h>

#include <array>
#include <vector>

#include "psp/chip_model.h"
#include "sev/cpuid_page.h"

namespace machine {

inline constexpr uint8_t kCbitPosition = 51;

struct CpuidEntry {
  uint32_t leaf = 0, subleaf = 0;
  sev::CpuidValues values;
};
using CpuidTable = std::vector<CpuidEntry>;

CpuidTable MakeCpuidTable(const psp::ChipModel& model);

// Zeros for a leaf that is not there.
sev::CpuidValues LookUp(const CpuidTable& table, uint32_t leaf,
                        uint32_t subleaf);

// Entries above kCpuidMaxFunctions are left out.
std::array<uint8_t, sev::kCpuidPageSize> MakeCpuidPage(const CpuidTable& table);

}  // namespace machine
