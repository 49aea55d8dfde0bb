// SPDX-License-Identifier: Apache-2.0
//
// The VMSA: a virtual CPU's register state, measured at launch.
//
// Spec: AMD 24593 (APM volume 2), appendix B, table "VMSA Layout, State Save
// Area for SEV-ES". Segment attributes are the descriptor's bits 55:52 and
// 47:40, packed into 12 bits. Only the fields that a launch sets are named;
// the rest is zero. The firmware measures GUEST_TSC_SCALE and _OFFSET as zero
// whatever they hold (SNP_LAUNCH_UPDATE, "PAGE_TYPE_VMSA"; [asp-fw]).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sev/wire_field.h"

namespace sev {

inline constexpr size_t kVmsaSize = 4096;
// Where KVM measures it: SNP_LAUNCH_UPDATE, last of all pages.
inline constexpr uint64_t kKvmVmsaGpa = 0xFFFFFFFFF000;

namespace vmsa_segment_layout {
using Selector = WireField<0, 2>;
using Attributes = WireField<2, 2>;
using Limit = WireField<4, 4>;
using Base = WireField<8, 8>;
static_assert(Tile<Selector, Attributes, Limit, Base>(16));
}  // namespace vmsa_segment_layout

namespace vmsa_layout {
using Es = WireField<0x000, 16>;
using Cs = WireField<0x010, 16>;
using Ss = WireField<0x020, 16>;
using Ds = WireField<0x030, 16>;
using Fs = WireField<0x040, 16>;
using Gs = WireField<0x050, 16>;
using Gdtr = WireField<0x060, 16>;
using Ldtr = WireField<0x070, 16>;
using Idtr = WireField<0x080, 16>;
using Tr = WireField<0x090, 16>;
using Reserved0A0 = WireField<0x0A0, 0x2A>;
using Vmpl = WireField<0x0CA, 1>;
using Cpl = WireField<0x0CB, 1>;
using Reserved0CC = WireField<0x0CC, 4>;
using Efer = WireField<0x0D0, 8>;
using Reserved0D8 = WireField<0x0D8, 0x68>;
using Xss = WireField<0x140, 8>;
using Cr4 = WireField<0x148, 8>;
using Cr3 = WireField<0x150, 8>;
using Cr0 = WireField<0x158, 8>;
using Dr7 = WireField<0x160, 8>;
using Dr6 = WireField<0x168, 8>;
using Rflags = WireField<0x170, 8>;
using Rip = WireField<0x178, 8>;
using Reserved180 = WireField<0x180, 0x58>;
using Rsp = WireField<0x1D8, 8>;
using Reserved1E0 = WireField<0x1E0, 0x18>;
using Rax = WireField<0x1F8, 8>;
using Reserved200 = WireField<0x200, 0x68>;
using GuestPat = WireField<0x268, 8>;
using Reserved270 = WireField<0x270, 0x80>;
using GuestTscScale = WireField<0x2F0, 8>;
using GuestTscOffset = WireField<0x2F8, 8>;
using Reserved300 = WireField<0x300, 8>;
using Rcx = WireField<0x308, 8>;
using Rdx = WireField<0x310, 8>;
using Rbx = WireField<0x318, 8>;
using Reserved320 = WireField<0x320, 8>;
using Rbp = WireField<0x328, 8>;
using Rsi = WireField<0x330, 8>;
using Rdi = WireField<0x338, 8>;
using Reserved340 = WireField<0x340, 0x70>;
using SevFeatures = WireField<0x3B0, 8>;
using Reserved3B8 = WireField<0x3B8, 0x30>;
using Xcr0 = WireField<0x3E8, 8>;
using Reserved3F0 = WireField<0x3F0, 0x18>;
using Mxcsr = WireField<0x408, 4>;
using X87Ftw = WireField<0x40C, 2>;
using X87Fsw = WireField<0x40E, 2>;
using X87Fcw = WireField<0x410, 2>;
using Reserved412 = WireField<0x412, 0xBEE>;
static_assert(
    Tile<Es, Cs, Ss, Ds, Fs, Gs, Gdtr, Ldtr, Idtr, Tr, Reserved0A0, Vmpl, Cpl,
         Reserved0CC, Efer, Reserved0D8, Xss, Cr4, Cr3, Cr0, Dr7, Dr6, Rflags,
         Rip, Reserved180, Rsp, Reserved1E0, Rax, Reserved200, GuestPat,
         Reserved270, GuestTscScale, GuestTscOffset, Reserved300, Rcx, Rdx, Rbx,
         Reserved320, Rbp, Rsi, Rdi, Reserved340, SevFeatures, Reserved3B8,
         Xcr0, Reserved3F0, Mxcsr, X87Ftw, X87Fsw, X87Fcw, Reserved412>(
        0x1000));
}  // namespace vmsa_layout

// SEV_FEATURES: bit 0 SNP; as SEV_STATUS from bit 2 on, shifted down by 2.
inline constexpr uint64_t kSevFeatureSnp = uint64_t{1} << 0;
inline constexpr uint64_t kEferSvme = uint64_t{1} << 12;  // always set

}  // namespace sev
