// SPDX-License-Identifier: Apache-2.0
//
// The instructions that C++ cannot say: one function an instruction, nothing
// else. Names follow [amd/vol3]; [amd/vol2] for CR and MSR access.
//
// Guest only. Code that must run in host tests takes an interface instead.
#pragma once

#include <stdint.h>

namespace svsm::hw {

// EDGE: every asm below is a single instruction (or the loop it needs) whose
// operands are declared in full; "memory" where the device or the page tables
// may see, or change, memory.

inline uint8_t In8(uint16_t port) {
  uint8_t value;
  asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
  return value;
}
inline void Out8(uint16_t port, uint8_t value) {
  asm volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
inline void Out16(uint16_t port, uint16_t value) {
  asm volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}
inline void Out32(uint16_t port, uint32_t value) {
  asm volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

inline uint64_t ReadMsr(uint32_t msr) {
  uint32_t low;
  uint32_t high;
  asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
  return (uint64_t{high} << 32) | low;
}

inline void WriteMsr(uint32_t msr, uint64_t value) {
  asm volatile("wrmsr"
               :
               : "c"(msr), "a"(static_cast<uint32_t>(value)),
                 "d"(static_cast<uint32_t>(value >> 32))
               : "memory");
}

// VMGEXIT: the host runs, and may change shared memory and the GHCB MSR.
inline void Vmgexit() { asm volatile("rep; vmmcall" : : : "memory"); }

struct PvalidateResult {
  uint32_t code;   // EAX, sev::kRmp...
  bool unchanged;  // CF: the page was in that state already
};
// `address` is virtual, and mapped; `large`: 2 MiB.
inline PvalidateResult Pvalidate(uint64_t address, bool large, bool validate) {
  PvalidateResult out;
  // PVALIDATE, which gas of Debian 12 knows, but not every reader.
  asm volatile(".byte 0xf2, 0x0f, 0x01, 0xff"
               : "=a"(out.code), "=@ccc"(out.unchanged)
               : "a"(address), "c"(uint32_t{large}), "d"(uint32_t{validate})
               : "memory");
  return out;
}

inline void InvalidatePage(uint64_t address) {
  asm volatile("invlpg (%0)" : : "r"(address) : "memory");
}

struct CpuidLeaf {
  uint32_t eax, ebx, ecx, edx;
};
inline CpuidLeaf Cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  CpuidLeaf out;
  asm volatile("cpuid"
               : "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
               : "a"(leaf), "c"(subleaf));
  return out;
}

inline uint64_t ReadTsc() {
  uint32_t low;
  uint32_t high;
  asm volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
  return (uint64_t{high} << 32) | low;
}

// False: the CPU had no random number to give.
inline bool Rdrand64(uint64_t* out) {
  bool ok;
  asm volatile("rdrand %0" : "=r"(*out), "=@ccc"(ok));
  return ok;
}
inline bool Rdseed64(uint64_t* out) {
  bool ok;
  asm volatile("rdseed %0" : "=r"(*out), "=@ccc"(ok));
  return ok;
}

inline void Pause() { asm volatile("pause" : : : "memory"); }

inline uint64_t ReadCr2() {
  uint64_t value;
  asm volatile("movq %%cr2, %0" : "=r"(value));
  return value;
}
inline uint64_t ReadCr4() {
  uint64_t value;
  asm volatile("movq %%cr4, %0" : "=r"(value));
  return value;
}
inline void WriteCr4(uint64_t value) {
  asm volatile("movq %0, %%cr4" : : "r"(value) : "memory");
}
inline void WriteCr3(uint64_t value) {
  asm volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

[[noreturn]] inline void HaltForever() {
  for (;;) asm volatile("cli; hlt" : : : "memory");
}

}  // namespace svsm::hw
