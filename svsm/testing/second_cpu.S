// SPDX-License-Identifier: Apache-2.0
//
// Where faults.cc makes a second CPU start: copied to SECOND_CPU_PLACE, it goes
// from real mode to what PVH promises at the entry, and enters the image.
// Spec: [amd/vol2] 16.5 (start-up IPI: it begins at vector * 4096).

#define SECOND_CPU_PLACE 0x8000
#define AT(label) (SECOND_CPU_PLACE + (label - second_cpu_start))

  .section .rodata.second_cpu, "a"
  .globl second_cpu_start, second_cpu_started, second_cpu_end
  .balign 16
second_cpu_start:
  .code16
  cli
  lgdtl %cs:(gdtr - second_cpu_start)
  movl %cr0, %eax
  orl $1, %eax
  movl %eax, %cr0
  ljmpl $0x08, $AT(protected)
  .code32
protected:
  movl $0x10, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movl $1, AT(second_cpu_started)
  movl $ForelockEntry, %eax
  jmp *%eax
  .code64

  .balign 8
gdt:
  .quad 0
  .quad 0x00cf9b000000ffff  // 32-bit code
  .quad 0x00cf93000000ffff  // data
gdtr:
  .word . - gdt - 1
  .long AT(gdt)
  .balign 4
second_cpu_started:
  .long 0
second_cpu_end:

  .section .note.GNU-stack, "", @progbits
