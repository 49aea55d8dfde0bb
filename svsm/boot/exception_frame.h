// SPDX-License-Identifier: Apache-2.0
//
// What the CPU was doing when an exception interrupted it. A handler that
// resumes may change it.
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

}  // namespace svsm
