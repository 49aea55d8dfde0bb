// SPDX-License-Identifier: Apache-2.0
//
// 256 entry points, 16 bytes each, for the IDT. Each leaves an ExceptionFrame
// (exceptions.h) and calls SvsmException, which returns only to resume at a
// corrected RIP.

  .section .text.vectors, "ax", @progbits
  .globl exception_vectors
  .balign 16
exception_vectors:
  .set vector, 0
  .rept 256
  .balign 16
  // These push an error code themselves ([amd/vol2] table 8-1).
  .if !((vector == 8) || (vector >= 10 && vector <= 14) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30))
  pushq $0
  .endif
  pushq $vector
  jmp common
  .set vector, vector + 1
  .endr

common:
  cld
  pushq %rax
  pushq %rcx
  pushq %rdx
  pushq %rbx
  pushq %rbp
  pushq %rsi
  pushq %rdi
  pushq %r8
  pushq %r9
  pushq %r10
  pushq %r11
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, %rdi
  xorl %ebp, %ebp
  call SvsmException
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %r11
  popq %r10
  popq %r9
  popq %r8
  popq %rdi
  popq %rsi
  popq %rbp
  popq %rbx
  popq %rdx
  popq %rcx
  popq %rax
  addq $16, %rsp
  iretq

// bool ReadMsrOrFault(uint32_t msr, uint64_t* value): false where the CPU
// raises #GP. SvsmException resumes at read_msr_fault.
  .section .text.ReadMsrOrFault, "ax", @progbits
  .globl ReadMsrOrFault, read_msr_instruction, read_msr_fault
ReadMsrOrFault:
  movl %edi, %ecx
read_msr_instruction:
  rdmsr
  shlq $32, %rdx
  movl %eax, %eax
  orq %rdx, %rax
  movq %rax, (%rsi)
  movl $1, %eax
  ret
read_msr_fault:
  xorl %eax, %eax
  ret

  .section .note.GNU-stack, "", @progbits
