// SPDX-License-Identifier: Apache-2.0
//
// SNP entry: 32-bit protected mode, flat segments, paging off, as the VMSA of
// the launch says (proto/launch_note.h). Every page of the image is private and
// validated, .bss is zero: the launch measured it so.
//
// Takes the entry flag, finds the C-bit in the CPUID page, checks it, and calls
// SvsmMain(0, 1) in long mode. Whatever goes wrong here, an injected exception
// included, wipes VMPCK0 and ends in a termination request by the GHCB MSR
// protocol, which needs no memory. Nothing here may raise #VC: no CPUID, no
// port.
//
// Spec: [amd/vol2] 15.34 and 15.36 (page-table walks, fetches and accesses with
// paging off are private); [ghcb] 2.3.1; [snp-abi] "CPUID Page".

#include "svsm/boot/snp_entry.h"

#define CR0_MP (1 << 1)
#define CR0_EM (1 << 2)
#define CR0_WP (1 << 16)
#define CR0_PG (1 << 31)
#define CR4_PAE (1 << 5)
#define CR4_OSFXSR (1 << 9)
#define CR4_OSXMMEXCPT (1 << 10)
#define MSR_EFER 0xc0000080
#define MSR_GHCB 0xc0010130
#define EFER_LME (1 << 8)
#define EFER_NXE (1 << 11)

#define CPUID_ENCRYPTED_MEMORY 0x8000001f
#define CPUID_MAX_FUNCTIONS 64
#define CPUID_HEADER_SIZE 0x10
#define CPUID_FUNCTION_SIZE 0x30
#define CPUID_EAX_IN 0x00
#define CPUID_ECX_IN 0x04
#define CPUID_EBX 0x1c

#define RDRAND_TRIES 10000

#define VMPCK0_OFFSET 0x20
// In EBX: VMPCK0 is wiped, or not to be. "wipe"; the C-bit, which EBX has
// otherwise, is one bit.
#define WIPED 0x65706977

#define CODE64 0x08
#define DATA 0x10
#define CODE32 0x18

// EAX is the request; [ghcb] 2.3.1, "Termination Request". The same bytes in
// 32-bit and in 64-bit code.
.macro TERMINATE request
  movl $\request, %eax
  jmp terminate
.endm

// A value that the host does not know, in EDX:EAX.
.macro RANDOM
  movl $RDRAND_TRIES, %ecx
1:
  decl %ecx
  jz no_random
  rdrand %eax
  jnc 1b
2:
  decl %ecx
  jz no_random
  rdrand %edx
  jnc 2b
.endm

  .section .text.boot, "ax", @progbits
  .code32
  .globl ForelockSnpEntry
ForelockSnpEntry:
  // One CPU only. Nothing before this touches memory or needs a stack.
  lock btsl $0, forelock_entered
  jc second_cpu
  cli
  cld
  movl $__stack_top, %esp
  lgdt early_gdtr
  // Until SvsmMain has its own, every event ends the boot.
  lidt early_idtr32

  // EBX = the C-bit, as the high half of a page-table entry has it.
  movl $__snp_cpuid_page, %esi
  movl (%esi), %ecx
  cmpl $CPUID_MAX_FUNCTIONS, %ecx
  ja bad_cpuid_page
  addl $CPUID_HEADER_SIZE, %esi
1:
  decl %ecx
  js bad_cpuid_page
  cmpl $CPUID_ENCRYPTED_MEMORY, CPUID_EAX_IN(%esi)
  jne 2f
  cmpl $0, CPUID_ECX_IN(%esi)
  je 3f
2:
  addl $CPUID_FUNCTION_SIZE, %esi
  jmp 1b
3:
  movl CPUID_EBX(%esi), %ecx
  andl $0x3f, %ecx
  subl $32, %ecx
  jb bad_c_bit
  cmpl $(FORELOCK_MAX_C_BIT - 32), %ecx
  ja bad_c_bit
  movl $1, %ebx
  shll %cl, %ebx

  // The first GiB, all of it private.
  movl $boot_pdpt + 3, boot_pml4
  movl %ebx, boot_pml4 + 4
  movl $boot_pd + 3, boot_pdpt
  movl %ebx, boot_pdpt + 4
  xorl %ecx, %ecx
1:
  movl %ecx, %eax
  shll $21, %eax
  orl $0x83, %eax  // present, writable, 2 MiB
  movl %eax, boot_pd(, %ecx, 8)
  movl %ebx, boot_pd + 4(, %ecx, 8)
  incl %ecx
  cmpl $512, %ecx
  jne 1b

  // CR3 has room for the C-bit in 64-bit mode only; the walk is private anyway.
  movl $boot_pml4, %eax
  movl %eax, %cr3
  movl %cr4, %eax
  orl $(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT), %eax
  movl %eax, %cr4
  movl $MSR_EFER, %ecx
  rdmsr
  orl $(EFER_LME | EFER_NXE), %eax
  wrmsr

  // The C-bit is right if what is written with paging off is read through it,
  // and the other way round.
  RANDOM
  movl %eax, %edi
  movl %edx, %esi
  movl %edi, c_bit_probe
  movl %esi, c_bit_probe + 4
  movl %cr0, %ebp
  andl $~CR0_EM, %ebp
  orl $(CR0_PG | CR0_WP | CR0_MP), %ebp
  lidt early_idtr64
  movl %ebp, %cr0
  jmp 1f
1:
  cmpl %edi, c_bit_probe
  jne wrong_c_bit
  cmpl %esi, c_bit_probe + 4
  jne wrong_c_bit
  RANDOM
  movl %eax, c_bit_probe
  movl %edx, c_bit_probe + 4
  movl %ebp, %ecx
  andl $~CR0_PG, %ecx
  movl %ecx, %cr0
  lidt early_idtr32
  cmpl %eax, c_bit_probe
  jne wrong_c_bit
  cmpl %edx, c_bit_probe + 4
  jne wrong_c_bit
  lidt early_idtr64
  movl %ebp, %cr0
  ljmp $CODE64, $snp_long_mode

// The first CPU uses the secrets page, and the stack.
second_cpu:
  movl $WIPED, %ebx
  TERMINATE FORELOCK_TERMINATE_SECOND_CPU
bad_cpuid_page:
  TERMINATE FORELOCK_TERMINATE_CPUID_PAGE
bad_c_bit:
  TERMINATE FORELOCK_TERMINATE_C_BIT_RANGE
// With paging off, the secrets page is private again.
wrong_c_bit:
  movl %cr0, %eax
  andl $~CR0_PG, %eax
  movl %eax, %cr0
  lidt early_idtr32
  TERMINATE FORELOCK_TERMINATE_C_BIT_WRONG
no_random:
  TERMINATE FORELOCK_TERMINATE_NO_RANDOM
// Of both modes: only instructions that are the same in either.
  .globl early_exception
early_exception:
  TERMINATE FORELOCK_TERMINATE_EARLY_EXCEPTION
terminate:
  // Tried once: if the wipe itself raises an exception, it is here again. A
  // register says so, since memory may be what failed.
  cmpl $WIPED, %ebx
  je 1f
  movl $WIPED, %ebx
  movl $__snp_secrets_page + VMPCK0_OFFSET, %edi
  xorl %edx, %edx
  .irp at, 0, 4, 8, 12, 16, 20, 24, 28
  movl %edx, \at(%edi)
  .endr
1:
  xorl %edx, %edx
  movl $MSR_GHCB, %ecx
  wrmsr
  rep
  vmmcall  // VMGEXIT
1:
  cli
  hlt
  jmp 1b

  .code64
snp_long_mode:
  movl $DATA, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  xorl %eax, %eax
  movl %eax, %fs
  movl %eax, %gs
  movl $__stack_top, %esp
  movl %ebx, %ebx
  shlq $32, %rbx
  leaq boot_pml4(%rbx), %rax
  movq %rax, %cr3
  xorl %edi, %edi  // No start info.
  movl $1, %esi    // EntryPoint::kSnp
  xorl %ebp, %ebp  // Ends every backtrace.
  call SvsmMain
  ud2

  .section .rodata.boot, "a"
  .balign 8
early_gdt:
  .quad 0
  .quad 0x00af9b000000ffff  // 64-bit code
  .quad 0x00cf93000000ffff  // data
  .quad 0x00cf9b000000ffff  // 32-bit code
early_gdtr:
  .word . - early_gdt - 1
  .long early_gdt
// A vector beyond the limit is a #GP, so these are all. image.ld splits the
// address.
  .balign 8
early_idt32:
  .rept 32
  .word early_exception_low, CODE32, 0x8e00, early_exception_high
  .endr
early_idt64:
  .rept 32
  .word early_exception_low, CODE64, 0x8e00, early_exception_high
  .long 0, 0
  .endr
early_idtr32:
  .word early_idt64 - early_idt32 - 1
  .long early_idt32
early_idtr64:
  .word early_idtr32 - early_idt64 - 1
  .long early_idt64

  .section .bss.boot, "aw", @nobits
  .balign 8
c_bit_probe:
  .skip 8

  // What the launch fills.
  .section .snp, "aw", @nobits
  .globl __snp_secrets_page, __snp_cpuid_page, __snp_memory_map_page
  .balign 4096
__snp_secrets_page:
  .skip 4096
__snp_cpuid_page:
  .skip 4096
__snp_memory_map_page:
  .skip 4096

  // proto/launch_note.h
  .section .note.Forelock, "a", @note
  .balign 4
  .long 9, 0x28, 1  // name size, descriptor size, type
  .asciz "Forelock"
  .balign 4
  .quad 1  // version
  .quad ForelockSnpEntry
  .quad __snp_secrets_page
  .quad __snp_cpuid_page
  .quad __snp_memory_map_page
  // proto/config_level.h
  .long 9, 4, 2  // name size, descriptor size, type
  .asciz "Forelock"
  .balign 4
  .long FORELOCK_CONFIG_LEVEL

  .section .note.GNU-stack, "", @progbits
