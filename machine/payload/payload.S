// SPDX-License-Identifier: Apache-2.0
//
// What cpu_test.cc runs: routines that each do one thing and halt. The test
// makes page tables, IDT and GDT, puts operands into registers, starts the CPU
// at a label, and looks at registers and memory afterwards.

  .text

// --- From 32 bits with paging off to 64 bits, with CR3 = %esi; CR3 again from
// %rdi, with the C-bit. RAX: CR3 as read back; RBX: EFER.
  .globl entry32
  .code32
entry32:
  movl %cr4, %eax
  orl $0x620, %eax  // PAE, OSFXSR, OSXMMEXCPT
  movl %eax, %cr4
  movl %esi, %cr3
  movl $0xC0000080, %ecx
  rdmsr
  orl $0x900, %eax  // LME, NXE
  wrmsr
  movl %cr0, %eax
  orl $0x80010000, %eax  // PG, WP
  movl %eax, %cr0
  lgdtl gdtr
  ljmpl $8, $entry64
  .code64
entry64:
  movabsq $0x8000000020000, %rax  // the test's tables, C-bit 51
  movq %rax, %cr3
  movl $0xC0000080, %ecx
  rdmsr
  movl %eax, %ebx
  movq %cr3, %rax
  hlt

  .globl vmgexit32
  .code32
vmgexit32:
  movl $0xC0010130, %ecx
  movl $2, %eax
  xorl %edx, %edx
  wrmsr
  rep; vmmcall
  rdmsr
  incl %ebx  // 0x40 + register: a REX prefix if this were 64-bit code
  hlt
  .code64

  .macro ROUTINE name
  .globl \name
  .balign 16
\name:
  .endm

ROUTINE load
  movq (%rsi), %rax
  hlt
ROUTINE store
  movq %rax, (%rsi)
  movl $1, %ebx
  hlt
ROUTINE store_load
  movq %rax, (%rsi)
  movq (%rdi), %rbx
  hlt
ROUTINE load_store
  movq (%rsi), %rbx
  movq %rax, (%rsi)
  hlt
ROUTINE call
  callq *%rsi
  movl $1, %ebx
  hlt
ROUTINE patch  // code at RSI, written by way of RDI: RBX's, then RCX's
  movq %rbx, (%rdi)
  callq *%rsi
  movq %rax, %rbx
  movq %rcx, (%rdi)
  callq *%rsi
  hlt
ROUTINE patch_twice  // the same, and RDX's then
  movq %rbx, (%rdi)
  callq *%rsi
  movq %rcx, (%rdi)
  callq *%rsi
  movq %rax, %rbx
  movq %rdx, (%rdi)
  callq *%rsi
  hlt
ROUTINE pvalidate
  .byte 0xF2, 0x0F, 0x01, 0xFF
  setc %bl
  movzbl %bl, %ebx
  hlt
ROUTINE rmpadjust
  .byte 0xF3, 0x0F, 0x01, 0xFE
  hlt
ROUTINE pvalidate_many  // RAX to RSI, 4 KiB each; RBX: OR of what came back
  movq %rax, %r8
1:
  movq %r8, %rax
  .byte 0xF2, 0x0F, 0x01, 0xFF
  orl %eax, %ebx
  addq $4096, %r8
  cmpq %rsi, %r8
  jb 1b
  hlt
ROUTINE cpuid
  cpuid
  hlt
ROUTINE out
  outb %al, %dx
  hlt
ROUTINE out_immediate
  outl %eax, $0x80
  hlt
ROUTINE in
  inw %dx, %ax
  hlt
ROUTINE rdmsr
  rdmsr
  hlt
ROUTINE wrmsr
  wrmsr
  hlt
ROUTINE write_cr3
  movq %rax, %cr3
  movq %cr3, %rbx
  hlt
ROUTINE vmgexit
  rep; vmmcall
  movl $1, %ebx
  hlt
ROUTINE vmmcall
  vmmcall
  hlt
ROUTINE wbinvd
  movl $1, %ebx
  wbinvd
  hlt
ROUTINE undefined
  ud2
  hlt
ROUTINE breakpoint
  int3
  movl $1, %ebx
  hlt
ROUTINE protection_fault
  movabsq $0x8000000000000000, %rsi
  movq (%rsi), %rax
  movq (%rsi), %rax
  hlt
ROUTINE vector_move
  movl $1, %ebx
  vpxor %xmm1, %xmm2, %xmm0
  movl $2, %ebx
  hlt
ROUTINE vector_not_reached
  xorl %ebx, %ebx
  testl %ebx, %ebx
  jnz 1f
  movl $3, %ebx
  hlt
1:
  vzeroupper
  hlt
ROUTINE general_vex
  andn %rax, %rdx, %rax
  hlt
ROUTINE cache_line_zero
  movl $1, %ebx
  .byte 0x0F, 0x01, 0xFC
  hlt
ROUTINE shift_without_osfxsr
  movq %cr4, %rax
  andq $~0x200, %rax
  movq %rax, %cr4
  shlxq %rcx, %rdx, %rax
  hlt
ROUTINE random
  rdrand %rax
  setc %bl
  rdseed %rcx
  hlt
ROUTINE time
  rdtsc
  hlt
ROUTINE spin
  pause
  jmp spin
ROUTINE spin_until  // *RSI becomes RAX; RBX counts
1:
  incq %rbx
  pause
  cmpq %rax, (%rsi)
  jne 1b
  hlt
ROUTINE busy
  jmp busy
ROUTINE hash_like  // RCX rounds of ALU work on RAX
1:
  rolq $5, %rax
  xorq %rcx, %rax
  addq %rax, %rdx
  decq %rcx
  jnz 1b
  hlt
ROUTINE copy  // RCX quadwords from RSI to RDI
  cld
  rep movsq
  hlt
ROUTINE locked_add
  lock xaddq %rax, (%rsi)
  movq (%rsi), %rbx
  hlt
ROUTINE fetch_twice  // the same place twice, as code that trusts it would
  movq (%rsi), %rax
  movq (%rsi), %rbx
  hlt
// 10 + 3 * RCX instructions, a fault that the handler skips among them.
ROUTINE count
  nop
  nop
  xorl %eax, %eax
1:
  addl %ecx, %eax
  decq %rcx
  jnz 1b
  nop
  ud2  // not counted: it was not executed
  nop
  nop
  nop
  nop
  nop
  hlt
ROUTINE crypto  // AES and PCLMULQDQ on the 16 bytes at RSI, result at RDI
  movdqu (%rsi), %xmm0
  movdqa %xmm0, %xmm1
  aesenc %xmm1, %xmm0
  aeskeygenassist $1, %xmm0, %xmm2
  pxor %xmm2, %xmm0
  movdqa %xmm0, %xmm1
  pclmulqdq $0x11, %xmm1, %xmm0
  movdqu %xmm0, (%rdi)
  hlt
// Takes the flag at RSI, as the second CPU of an image would find it taken.
ROUTINE entry_flag
  movl $1, %eax
  xchgl %eax, (%rsi)
  testl %eax, %eax
  jnz 1f
  jmp spin
1:
  movl $0x0BAD, %ebx
  hlt

// --- Exceptions. Every vector comes to `trap` with a record of what was pushed,
// then goes on R15 bytes further.
  .macro STUB vector, has_error
  .globl stub\vector
stub\vector:
  .if \has_error == 0
  pushq $-1
  .endif
  pushq $\vector
  jmp trap
  .endm
  STUB 2, 0
  STUB 3, 0
  STUB 6, 0
  STUB 8, 1
  STUB 13, 1
  STUB 14, 1
  STUB 29, 1
  STUB 64, 0
trap:
  pushq %rax
  incq trap_count(%rip)
  movq 8(%rsp), %rax
  movq %rax, trap_vector(%rip)
  movq 16(%rsp), %rax
  movq %rax, trap_error(%rip)
  movq 24(%rsp), %rax
  movq %rax, trap_rip(%rip)
  movq %cr2, %rax
  movq %rax, trap_cr2(%rip)
  movq %rsp, trap_rsp(%rip)
  addq %r15, 24(%rsp)
  popq %rax
  addq $16, %rsp
  iretq

  .data
  .balign 16
gdt:
  .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
gdtr:
  .word 23
  .quad gdt
  .balign 8
  .globl gdt, trap_count, trap_vector, trap_error, trap_rip, trap_cr2, trap_rsp
trap_count: .quad 0
trap_vector: .quad 0
trap_error: .quad 0
trap_rip: .quad 0
trap_cr2: .quad 0
trap_rsp: .quad 0
