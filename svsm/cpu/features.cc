// SPDX-License-Identifier: Apache-2.0
#include "svsm/cpu/features.h"

#include "svsm/reasons.h"

namespace svsm {
namespace {
constexpr uint32_t kStructuredFeatures = 7;
constexpr uint32_t kPclmulqdq = 1 << 1;  // leaf 1, ECX
constexpr uint32_t kAesNi = 1 << 25;     // leaf 1, ECX
constexpr uint32_t kRdrand = 1 << 30;    // leaf 1, ECX
constexpr uint32_t kRdseed = 1 << 18;    // leaf 7, EBX
}  // namespace

base::Result<CpuFeatures> CheckCpu(CpuidFunction cpuid) {
  const uint32_t max_leaf = cpuid(0, 0).eax;
  const uint32_t listed = max_leaf >= 1 ? cpuid(1, 0).ecx : 0;
  if (!(listed & kRdrand)) {
    return base::Status(base::Code::kFailedPrecondition, kNoRdrand);
  }
  // Mbed TLS is built without tables for AES and GHASH.
  if (!(listed & kAesNi) || !(listed & kPclmulqdq)) {
    return base::Status(base::Code::kFailedPrecondition, kNoAesInstructions);
  }
  CpuFeatures features;
  if (max_leaf >= kStructuredFeatures) {
    features.rdseed = (cpuid(kStructuredFeatures, 0).ebx & kRdseed) != 0;
  }
  return features;
}

}  // namespace svsm
