// SPDX-License-Identifier: Apache-2.0
//
// What happens when the CPU interrupts the image: it prints vector, error code,
// addresses and a backtrace, and the boot ends (panic/fail.h).
//
// Interrupts stay masked throughout, at the CPU and at the PICs, so a vector of
// 32 and above is as unexpected as an exception. All run on stacks of their
// own, so that an overflow of the main one is still reported.
// Spec: [amd/vol2] 8.2 and 8.9, 12.2.5.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace svsm {

// As boot/vectors.S pushes it.
struct ExceptionFrame {
  uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
  uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
  uint64_t vector;
  uint64_t error_code;  // 0 where the CPU gives none.
  uint64_t rip, cs, rflags, rsp, ss;
};
static_assert(offsetof(ExceptionFrame, vector) == 15 * 8);
static_assert(sizeof(ExceptionFrame) == 22 * 8);

// Loads GDT, TSS and IDT and masks both PICs.
void InstallExceptionHandlers();

}  // namespace svsm

// False where the CPU has no such MSR. Needs the handlers.
extern "C" bool ReadMsrOrFault(uint32_t msr, uint64_t* value);
