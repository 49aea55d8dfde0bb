// SPDX-License-Identifier: Apache-2.0
//
// What the image needs of a CPU, by CPUID. The host answers CPUID, so this
// finds an unfit CPU model early; it proves nothing.
//
// Spec: [amd/vol3] appendix E.3.2 (Fn0000_0001), E.3.6 (Fn0000_0007).
#pragma once

#include <stdint.h>

#include "base/result.h"

namespace svsm {

struct CpuidRegisters {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};
using CpuidFunction = CpuidRegisters (*)(uint32_t leaf, uint32_t subleaf);

struct CpuFeatures {
  bool rdseed = false;
};

// Reads no leaf above the largest that leaf 0 names: a CPU answers such a one
// with the contents of another.
//   kFailedPrecondition: kNoRdrand, kNoAesInstructions.
base::Result<CpuFeatures> CheckCpu(CpuidFunction cpuid);

}  // namespace svsm
