// SPDX-License-Identifier: Apache-2.0
//
// The last page of a flat ROM (rom.h): from the reset vector to the image's
// entry. Data of the program that makes ROMs; nothing here runs on the host.
//
// Real mode at 4 GiB - 16, 32-bit protected mode with flat segments, then each
// segment's file bytes are copied from the ROM to their address. Addresses are
// those of a page that ends at 4 GiB: label - end, in 32 bits.
//
// Emulated platform: does what PVH's loader and a PC's firmware would have done
// and the image or its kernel needs: ACPI's I/O ports, where the image powers
// off (svsm/panic), the PCI configuration window, and hvm_start_info with the
// memory map of fw_cfg's etc/e820. The host's word, as it is with PVH. Without
// that file the map is empty, and the image says so (SL7).
// SNP: no port, CPUID or MSR before the image's #VC handler; no memory map.
//
// Source: Xen public/arch-x86/hvm/start_info.h; QEMU docs/specs/fw_cfg.rst;
// Intel ICH9 datasheet, LPC registers 40h and 44h; Intel Q35 MCH, register 60h.

#define START_INFO 0x7000
#define MAP (START_INFO + 56)
#define MAP_ENTRIES 126
#define BUFFER 0x6000
#define FW_CFG_SELECTOR 0x510
#define FW_CFG_DATA 0x511
#define FW_CFG_FILE_DIR 0x19
#define FW_CFG_MAX_FILES 1024
// End of low RAM, and where RAM begins again behind video memory and ROMs.
#define LOW_END 0x9f000
#define HIGH_START 0x100000

// rom.cc writes these: number of segments, entry; then for each segment its
// address in the ROM, its address in memory, its size (u32 each).
#define TABLE 0x800

.macro PCI_WRITE address, value
  movl $\address, %eax
  movw $0xcf8, %dx
  outl %eax, %dx
  movl $\value, %eax
  movw $0xcfc, %dx
  outl %eax, %dx
.endm

// Keeps EBP; uses everything else.
.macro MAP_MEMORY name
  PCI_WRITE 0x8000f840, 0x00000601  // PMBASE: I/O at 0x600
  PCI_WRITE 0x8000f844, 0x00000080  // ACPI_CNTL: enabled
  PCI_WRITE 0x80000064, 0x00000000
  PCI_WRITE 0x80000060, 0xb0000001  // PCIEXBAR: 256 MiB, enabled

  movl $START_INFO, %edi
  xorl %eax, %eax
  movl $14, %ecx
  rep stosl
  movl $0x336ec578, START_INFO
  movl $1, START_INFO + 4  // version
  movl $MAP, START_INFO + 40

  movw $FW_CFG_SELECTOR, %dx
  movw $FW_CFG_FILE_DIR, %ax
  outw %ax, %dx
  movw $FW_CFG_DATA, %dx
  movl $BUFFER, %edi
  movl $4, %ecx
  rep insb
  movl BUFFER, %ebx
  bswapl %ebx
  cmpl $FW_CFG_MAX_FILES, %ebx
  ja 9f

  // Size, selector, reserved (big-endian) and name of each file.
3:
  testl %ebx, %ebx
  jz 9f
  decl %ebx
  movl $BUFFER, %edi
  movl $64, %ecx
  rep insb
  movl $BUFFER + 8, %edi
  movl $(\name\()_e820 - \name\()_end), %esi
  movl $9, %ecx
  repe cmpsb
  jne 3b

  movl BUFFER, %eax
  bswapl %eax
  xorl %edx, %edx
  movl $20, %ecx
  divl %ecx
  movl %eax, %ebx  // entries
  cmpl $MAP_ENTRIES, %ebx
  ja 9f
  movw BUFFER + 4, %ax
  xchgb %al, %ah
  movw $FW_CFG_SELECTOR, %dx
  outw %ax, %dx
  movw $FW_CFG_DATA, %dx
  movl $MAP, %edi

  // Address, size, type. RAM from 0 on has a hole that the host's map leaves
  // out: what a firmware would have kept.
4:
  testl %ebx, %ebx
  jz 6f
  decl %ebx
  movl %edi, %esi
  movl $20, %ecx
  rep insb
  xorl %eax, %eax
  stosl  // reserved
  movl (%esi), %eax
  orl 4(%esi), %eax
  jnz 4b
  cmpl $1, 16(%esi)
  jne 4b
  cmpl $HIGH_START, 8(%esi)
  jbe 4b
  movl 8(%esi), %eax
  movl 12(%esi), %ecx
  subl $HIGH_START, %eax
  sbbl $0, %ecx
  movl $LOW_END, 8(%esi)
  movl $0, 12(%esi)
  movl $HIGH_START, (%edi)
  movl $0, 4(%edi)
  movl %eax, 8(%edi)
  movl %ecx, 12(%edi)
  movl $1, 16(%edi)
  movl $0, 20(%edi)
  addl $24, %edi
  jmp 4b
6:
  movl %edi, %eax
  subl $MAP, %eax
  xorl %edx, %edx
  movl $24, %ecx
  divl %ecx
  movl %eax, START_INFO + 48
9:
.endm

.macro STUB name, emulated
  .balign 4096
  .globl \name
\name:
  .code16
\name\()_start:
  cli
  cld
  .byte 0x2e, 0x66, 0x0f, 0x01, 0x16  // lgdtl %cs:gdtr
  .word \name\()_gdtr - \name\()_end + 0x10000
  movl $0x11, %eax  // PE, ET; caches on
  movl %eax, %cr0
  .byte 0x66, 0xea  // ljmpl
  .long \name\()_protected - \name\()_end
  .word 0x08

  .code32
\name\()_protected:
  movl $0x10, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movl %eax, %fs
  movl %eax, %gs

  movl $(\name\()_start + TABLE - \name\()_end), %ebx
  movl (%ebx), %edx
  leal 8(%ebx), %ebp
1:
  testl %edx, %edx
  jz 2f
  movl (%ebp), %esi
  movl 4(%ebp), %edi
  movl 8(%ebp), %ecx
  rep movsb
  addl $12, %ebp
  decl %edx
  jmp 1b
2:
  movl 4(%ebx), %ebp
.if \emulated
  MAP_MEMORY \name
  movl $START_INFO, %ebx
.else
  xorl %ebx, %ebx
.endif
  xorl %eax, %eax
  xorl %ecx, %ecx
  xorl %edx, %edx
  xorl %esi, %esi
  xorl %edi, %edi
  jmp *%ebp

  .balign 8
\name\()_gdt:
  .quad 0
  .quad 0x00cf9b000000ffff  // 32-bit code
  .quad 0x00cf93000000ffff  // data
\name\()_gdtr:
  .word . - \name\()_gdt - 1
  .long \name\()_gdt - \name\()_end
\name\()_e820:
  .asciz "etc/e820"

  // Where the loader of SNP would start other CPUs; this one has none.
  .code16
  .globl \name\()_park
\name\()_park:
1:
  cli
  hlt
  jmp 1b

  .fill \name\()_start + 4096 - 16 - ., 1, 0
  jmp \name\()_start
  .fill \name\()_start + 4096 - ., 1, 0
\name\()_end:
.endm

  .section .rodata.rom, "a", @progbits
  STUB forelock_rom_emulated, 1
  STUB forelock_rom_snp, 0

  .section .note.GNU-stack, "", @progbits
