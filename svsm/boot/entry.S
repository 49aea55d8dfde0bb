// SPDX-License-Identifier: Apache-2.0
//
// PVH entry (QEMU -kernel): 32-bit protected mode, paging off, EBX points to
// hvm_start_info ([xen] docs/misc/pvh.pandoc). Takes the entry flag, clears
// .bss, maps the first GiB and calls SvsmMain(start_info, 0) in long mode.
// boot/paging.cc replaces this first map. SNP has an entry of its own,
// snp_entry.S.

#define COM1 0x3f8
#define CR0_MP (1 << 1)
#define CR0_EM (1 << 2)
#define CR0_WP (1 << 16)
#define CR0_NW (1 << 29)
#define CR0_CD (1 << 30)
#define CR0_PG (1 << 31)
#define CR4_PAE (1 << 5)
#define CR4_OSFXSR (1 << 9)
#define CR4_OSXMMEXCPT (1 << 10)
#define MSR_EFER 0xc0000080
#define EFER_LME (1 << 8)
#define EFER_NXE (1 << 11)

  .section .note.Xen, "a", @note
  .balign 4
  .long 4, 4, 18  // name size, descriptor size, XEN_ELFNOTE_PHYS32_ENTRY
  .asciz "Xen"
  .long ForelockEntry

  .section .text.boot, "ax", @progbits
  .code32
  .globl ForelockEntry
ForelockEntry:
  // One CPU only. Nothing before this touches memory or needs a stack.
  lock btsl $0, forelock_entered
  jc second_cpu
  cli
  cld
  movl %ebx, %ebp

  // The loader of PVH has cleared it already, others need not.
  movl $__bss_start, %edi
  movl $__bss_end, %ecx
  subl %edi, %ecx
  shrl $2, %ecx
  xorl %eax, %eax
  rep stosl

  // Long mode and NX, or there is no way to keep data from being code.
  movl $0x80000000, %eax
  cpuid
  cmpl $0x80000001, %eax
  jb no_long_mode
  movl $0x80000001, %eax
  cpuid
  andl $(1 << 29 | 1 << 20), %edx
  cmpl $(1 << 29 | 1 << 20), %edx
  jne no_long_mode

  movl $boot_pdpt + 3, boot_pml4
  movl $boot_pd + 3, boot_pdpt
  xorl %ecx, %ecx
1:
  movl %ecx, %eax
  shll $21, %eax
  orl $0x83, %eax  // present, writable, 2 MiB
  movl %eax, boot_pd(, %ecx, 8)
  incl %ecx
  cmpl $512, %ecx
  jne 1b
  movl $boot_pml4, %eax
  movl %eax, %cr3

  movl %cr4, %eax
  orl $(CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT), %eax
  movl %eax, %cr4
  movl $MSR_EFER, %ecx
  rdmsr
  orl $(EFER_LME | EFER_NXE), %eax
  wrmsr
  movl %cr0, %eax
  andl $~(CR0_EM | CR0_CD | CR0_NW), %eax
  orl $(CR0_PG | CR0_WP | CR0_MP), %eax
  movl %eax, %cr0
  lgdt boot_gdtr
  ljmp $0x08, $long_mode

second_cpu:
  movl $second_cpu_text, %esi
  jmp stop
no_long_mode:
  movl $no_long_mode_text, %esi

// Prints the text at ESI, waiting a bounded time for each byte, and halts. Uses
// no memory but the text: the other CPU may be running.
stop:
  cli
1:
  movl $100000, %ecx
2:
  movw $(COM1 + 5), %dx
  inb %dx, %al
  testb $0x20, %al
  jnz 3f
  pause
  decl %ecx
  jnz 2b
3:
  movb (%esi), %al
  testb %al, %al
  jz 4f
  movw $COM1, %dx
  outb %al, %dx
  incl %esi
  jmp 1b
4:
  cli
  hlt
  jmp 4b

  .code64
long_mode:
  movl $0x10, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  xorl %eax, %eax
  movl %eax, %fs
  movl %eax, %gs
  movl $__stack_top, %esp
  movl %ebp, %edi
  xorl %esi, %esi  // EntryPoint::kPvh
  xorl %ebp, %ebp  // Ends every backtrace.
  call SvsmMain
  ud2

  .section .rodata.boot, "a"
second_cpu_text:
  .asciz "\r\nforelock: failed: SM1 a second CPU entered the image\r\n"
no_long_mode_text:
  .asciz "\r\nforelock: failed: SM2 the CPU has no long mode or no NX\r\n"
  .balign 8
boot_gdt:
  .quad 0
  .quad 0x00af9b000000ffff  // 64-bit code
  .quad 0x00cf93000000ffff  // data
boot_gdtr:
  .word . - boot_gdt - 1
  .long boot_gdt

  // Not in .bss, which the entry clears.
  .section .data.boot, "aw", @progbits
  .balign 4
  .globl forelock_entered  // of both entries
forelock_entered:
  .long 0

  .section .bss.boot, "aw", @nobits
  .balign 4096
  .globl boot_pml4, boot_pdpt, boot_pd
boot_pml4:
  .skip 4096
boot_pdpt:
  .skip 4096
boot_pd:
  .skip 4096
  // The guard page is unmapped by boot/paging.cc.
  .globl __stack_guard, __stack_bottom, __stack_top
__stack_guard:
  .skip 4096
__stack_bottom:
  .skip 65536
__stack_top:

  // The measured configuration, written into the file by `forelock image
  // configure` (proto/config_section.h). All zero: not configured.
  .section .config, "a", @progbits
  .balign 4096
  .skip 16384

  .section .note.GNU-stack, "", @progbits
