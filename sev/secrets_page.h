// SPDX-License-Identifier: Apache-2.0
//
// The secrets page: what the firmware hands a guest at launch, above all the
// four keys (VMPCK) that protect messages between guest and firmware.
//
// Spec: AMD 56860 rev. 1.58, "Secrets Page", table "Secrets Page Format"; the
// use of the OS area by 56421 (GHCB) rev. 2.03, "Secrets page layout"; SVSM
// fields by 58019 (SVSM) rev. 1.00.
// The page is private memory. VMPCK0 is taken out of it once and the place it
// stood in is wiped, so that nothing that reads the page later can speak for
// VMPL0.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>

#include "base/result.h"
#include "base/secret_buffer.h"
#include "sev/wire_field.h"

namespace sev {

inline constexpr size_t kVmpckSize = 32;
inline constexpr size_t kVmpckCount = 4;
using Vmpck = base::SecretBuffer<kVmpckSize>;

namespace secrets_layout {
using Version = WireField<0x000, 4>;
using ImiEnabled = WireField<0x004, 4>;  // Bit 0; the rest reserved.
using Fms = WireField<0x008, 4>;         // CPUID Fn0000_0001_EAX.
using Reserved00C = WireField<0x00C, 4>;
using Gosvw = WireField<0x010, 16>;
using Vmpck0 = WireField<0x020, 32>;
using Vmpck1 = WireField<0x040, 32>;
using Vmpck2 = WireField<0x060, 32>;
using Vmpck3 = WireField<0x080, 32>;
using OsMessageSequence0 = WireField<0x0A0, 4>;
using OsMessageSequence1 = WireField<0x0A4, 4>;
using OsMessageSequence2 = WireField<0x0A8, 4>;
using OsMessageSequence3 = WireField<0x0AC, 4>;
using OsApJumpTable = WireField<0x0B0, 8>;
using OsReserved0B8 = WireField<0x0B8, 40>;
using OsGuestUsage = WireField<0x0E0, 32>;
using VmsaTweakBitmap = WireField<0x100, 64>;
using SvsmBase = WireField<0x140, 8>;
using SvsmSize = WireField<0x148, 8>;
using SvsmCallingArea = WireField<0x150, 8>;
using SvsmMaxVersion = WireField<0x158, 4>;
using SvsmGuestVmpl = WireField<0x15C, 1>;
using Reserved15D = WireField<0x15D, 3>;
using TscFactor = WireField<0x160, 4>;  // Version 4 on.
using Reserved164 = WireField<0x164, 3740>;
static_assert(
    Tile<Version, ImiEnabled, Fms, Reserved00C, Gosvw, Vmpck0, Vmpck1, Vmpck2,
         Vmpck3, OsMessageSequence0, OsMessageSequence1, OsMessageSequence2,
         OsMessageSequence3, OsApJumpTable, OsReserved0B8, OsGuestUsage,
         VmsaTweakBitmap, SvsmBase, SvsmSize, SvsmCallingArea, SvsmMaxVersion,
         SvsmGuestVmpl, Reserved15D, TscFactor, Reserved164>(0x1000));
}  // namespace secrets_layout

inline constexpr size_t kSecretsPageSize = secrets_layout::Reserved164::kEnd;
// Firmware 1.51 and later write 3; 4 adds TSC_FACTOR, which is not used here.
inline constexpr uint32_t kSecretsPageMinVersion = 2;
inline constexpr uint32_t kSecretsPageMaxVersion = 4;

// Moves VMPCK0 out of `page` and zeroes its place.
//   kDataLoss: unknown version, or no key there (an all-zero key is what a
//              page that was used before shows).
base::Result<Vmpck> TakeVmpck0(std::span<uint8_t, kSecretsPageSize> page);

}  // namespace sev
