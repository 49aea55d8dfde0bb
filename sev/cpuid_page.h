// SPDX-License-Identifier: Apache-2.0
//
// The CPUID page: what CPUID answers in an SNP guest. The hypervisor proposes
// it, the firmware checks it at launch against what the processor can do, and
// the page is private from then on.
//
// Spec: AMD 56860 rev. 1.58, SNP_LAUNCH_UPDATE, "CPUID Page" (tables "CPUID
// Function Table" and "CPUID_FUNCTION Structure"). The firmware's check leaves
// the hypervisor room (it may hide features, and no leaf outside 0 to FFFFh and
// 8000_0000h to 8000_FFFFh is checked): the page decides nothing that a secret
// depends on.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <optional>
#include <span>

#include "sev/wire_field.h"

namespace sev {

inline constexpr size_t kCpuidPageSize = 4096;
inline constexpr size_t kCpuidMaxFunctions = 64;

namespace cpuid_page_layout {
using Count = WireField<0x00, 4>;
using Reserved04 = WireField<0x04, 4>;
using Reserved08 = WireField<0x08, 8>;
static_assert(Tile<Count, Reserved04, Reserved08>(0x10));
}  // namespace cpuid_page_layout
inline constexpr size_t kCpuidHeaderSize = 0x10;

namespace cpuid_function_layout {
using EaxIn = WireField<0x00, 4>;
using EcxIn = WireField<0x04, 4>;
using Xcr0In = WireField<0x08, 8>;
using XssIn = WireField<0x10, 8>;
using Eax = WireField<0x18, 4>;
using Ebx = WireField<0x1C, 4>;
using Ecx = WireField<0x20, 4>;
using Edx = WireField<0x24, 4>;
using Reserved28 = WireField<0x28, 8>;
static_assert(
    Tile<EaxIn, EcxIn, Xcr0In, XssIn, Eax, Ebx, Ecx, Edx, Reserved28>(0x30));
}  // namespace cpuid_function_layout
inline constexpr size_t kCpuidFunctionSize = 0x30;
static_assert(kCpuidHeaderSize + kCpuidMaxFunctions * kCpuidFunctionSize <=
              kCpuidPageSize);

struct CpuidValues {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

// Fn8000_001F: EBX[5:0] is the position of the C-bit. APM volume 3, E.4.17.
inline constexpr uint32_t kCpuidEncryptedMemory = 0x8000001F;
inline constexpr uint32_t kCbitPositionMask = 0x3F;

// The first entry for `leaf` and `subleaf` (EAX_IN and ECX_IN; XCR0_IN and
// XSS_IN are not looked at: nothing here needs leaf 0xD). Empty: there is none,
// or COUNT is above kCpuidMaxFunctions.
constexpr std::optional<CpuidValues> FindCpuid(
    std::span<const uint8_t, kCpuidPageSize> page, uint32_t leaf,
    uint32_t subleaf) {
  namespace f = cpuid_function_layout;
  const auto count = GetLe<uint32_t, cpuid_page_layout::Count>(page);
  if (count > kCpuidMaxFunctions) return std::nullopt;
  for (size_t i = 0; i < count; ++i) {
    const std::span<const uint8_t, kCpuidFunctionSize> entry(
        page.subspan(kCpuidHeaderSize + i * kCpuidFunctionSize)
            .first<kCpuidFunctionSize>());
    if (GetLe<uint32_t, f::EaxIn>(entry) != leaf ||
        GetLe<uint32_t, f::EcxIn>(entry) != subleaf) {
      continue;
    }
    return CpuidValues{.eax = GetLe<uint32_t, f::Eax>(entry),
                       .ebx = GetLe<uint32_t, f::Ebx>(entry),
                       .ecx = GetLe<uint32_t, f::Ecx>(entry),
                       .edx = GetLe<uint32_t, f::Edx>(entry)};
  }
  return std::nullopt;
}

}  // namespace sev
