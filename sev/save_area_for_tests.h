// SPDX-License-Identifier: Apache-2.0
//
// The VMSA and the GHCB's save area as lists of members in order, from AMD
// 24593 (APM volume 2), table B-4, and AMD 56421, table "GHCB Layout": a second
// reading, which has sizes where sev/vmsa.h and sev/ghcb.h have offsets.
#pragma once

#include <stdint.h>

namespace sev::for_tests {

struct Segment {
  uint16_t selector, attributes;
  uint32_t limit;
  uint64_t base;
};

#pragma pack(push, 1)
struct Vmsa {
  Segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
  uint64_t pl0_ssp, pl1_ssp, pl2_ssp, pl3_ssp, u_cet;
  uint8_t reserved_c8[2];
  uint8_t vmpl, cpl;
  uint8_t reserved_cc[4];
  uint64_t efer;
  uint8_t reserved_d8[104];
  uint64_t xss, cr4, cr3, cr0, dr7, dr6, rflags, rip;
  uint64_t dr0, dr1, dr2, dr3, dr0_mask, dr1_mask, dr2_mask, dr3_mask;
  uint8_t reserved_1c0[24];
  uint64_t rsp, s_cet, ssp, isst_addr, rax;
  uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
  uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
  uint8_t reserved_248[32];
  uint64_t g_pat, dbgctl, br_from, br_to, last_excp_from, last_excp_to;
  uint8_t reserved_298[80];
  uint32_t pkru, tsc_aux;
  uint64_t tsc_scale, tsc_offset, reg_prot_nonce;
  uint64_t rcx, rdx, rbx, reserved_320, rbp, rsi, rdi;
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  uint8_t reserved_380[16];
  uint64_t exit_info_1, exit_info_2, exit_int_info, next_rip;
  uint64_t sev_features, vintr_ctrl, exit_code, virtual_tom, tlb_id, pcpu_id;
  uint64_t event_inj, xcr0;
  uint8_t reserved_3f0[16];
  uint64_t x87_dp;
  uint32_t mxcsr;
  uint16_t x87_ftw, x87_fsw, x87_fcw, x87_fop, x87_ds, x87_cs;
  uint64_t x87_rip;
  uint8_t x87[80], xmm[256], ymm[256];
};

struct Ghcb {
  uint8_t reserved_000[203];
  uint8_t cpl;
  uint8_t reserved_0cc[116];
  uint64_t xss;
  uint8_t reserved_148[24];
  uint64_t dr7;
  uint8_t reserved_168[16];
  uint64_t rip;
  uint8_t reserved_180[88];
  uint64_t rsp;
  uint8_t reserved_1e0[24];
  uint64_t rax;
  uint8_t reserved_200[264];
  uint64_t rcx, rdx, rbx;
  uint8_t reserved_320[112];
  uint64_t sw_exit_code, sw_exit_info_1, sw_exit_info_2, sw_scratch;
  uint8_t reserved_3b0[56];
  uint64_t xcr0;
  uint8_t valid_bitmap[16];
  uint64_t x87_state_gpa;
  uint8_t reserved_408[0x3F8];
  uint8_t shared_buffer[2032];
  uint8_t reserved_ff0[10];
  uint16_t protocol_version;
  uint32_t usage;
};
#pragma pack(pop)
static_assert(sizeof(Vmsa) == 1648);  // as the APM has it: 0x670
static_assert(sizeof(Ghcb) == 4096);

}  // namespace sev::for_tests
