/* SPDX-License-Identifier: Apache-2.0
 *
 * The way out. EDGE: this file is the whole of it that C++ cannot say.
 *
 * ForelockJump(CR3, trampoline page) runs in the image: it leaves the image's
 * page tables for the ones outside, and jumps to the copy of the code between
 * ForelockTrampoline and ForelockTrampolineEnd.
 *
 * Nothing from here on raises #VC in an SNP guest (no CPUID, MSR or port, only
 * private and validated pages): there is no handler for it any more.
 *
 * [amd/vol2] 3.1 for the CR bits, 4.8 for segments; boot.rst, "64-bit Boot
 * Protocol", for what Linux expects.
 */
#include "svsm/linux/trampoline_page.h"

#define CR0_VALUE 0x80010033 /* PG WP NE ET MP PE */
#define CR4_VALUE 0x620      /* PAE OSFXSR OSXMMEXCPT; no PGE, SMEP, SMAP, ... */

	.section .text.forelock_leave, "ax"
	.code64
	.globl ForelockJump
ForelockJump:
	cli
	cld
	/* CR4 first: without PGE no stale global entry survives the next line. */
	movl $CR4_VALUE, %eax
	movq %rax, %cr4
	movq %rdi, %cr3
	movl $CR0_VALUE, %eax
	movq %rax, %cr0
	movq %rsi, %rbx
	jmp *%rsi

	.balign 16
	.globl ForelockTrampoline
ForelockTrampoline: /* %rbx: its page */
	lgdt FORELOCK_TRAMPOLINE_GDTR(%rbx)
	lidt FORELOCK_TRAMPOLINE_IDTR(%rbx)
	leaq FORELOCK_TRAMPOLINE_STACK(%rbx), %rsp
	movl $FORELOCK_BOOT_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs
	pushq $FORELOCK_BOOT_CS
	leaq 1f(%rip), %rax
	pushq %rax
	lretq
1:
	/* Overwrite what the list says. */
	leaq FORELOCK_TRAMPOLINE_RANGES(%rbx), %rsi
	xorl %eax, %eax
2:	movq (%rsi), %rdi
	movq 8(%rsi), %rcx
	testq %rcx, %rcx
	jz 3f
	addq $16, %rsi
	rep stosq
	jmp 2b
3:
	/* Round keys and GHASH keys lived here. */
	fninit
	pxor %xmm0, %xmm0
	pxor %xmm1, %xmm1
	pxor %xmm2, %xmm2
	pxor %xmm3, %xmm3
	pxor %xmm4, %xmm4
	pxor %xmm5, %xmm5
	pxor %xmm6, %xmm6
	pxor %xmm7, %xmm7
	pxor %xmm8, %xmm8
	pxor %xmm9, %xmm9
	pxor %xmm10, %xmm10
	pxor %xmm11, %xmm11
	pxor %xmm12, %xmm12
	pxor %xmm13, %xmm13
	pxor %xmm14, %xmm14
	pxor %xmm15, %xmm15
	movq FORELOCK_TRAMPOLINE_ZERO_PAGE(%rbx), %rsi
	pushq FORELOCK_TRAMPOLINE_ENTRY(%rbx)
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %ebx, %ebx
	xorl %ebp, %ebp
	xorl %edi, %edi
	xorl %r8d, %r8d
	xorl %r9d, %r9d
	xorl %r10d, %r10d
	xorl %r11d, %r11d
	xorl %r12d, %r12d
	xorl %r13d, %r13d
	xorl %r14d, %r14d
	xorl %r15d, %r15d
	xorl %eax, %eax
	retq
	.globl ForelockTrampolineEnd
ForelockTrampolineEnd:
	/* Fails to assemble if the code is longer. */
	.org ForelockTrampoline + FORELOCK_TRAMPOLINE_CODE_LIMIT
	.section .note.GNU-stack, "", @progbits
