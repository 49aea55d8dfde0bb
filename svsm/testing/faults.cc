// SPDX-License-Identifier: Apache-2.0
//
// Test image: does one forbidden thing, named on PVH's command line, to show
// that it is noticed and reported. Prints "survived" if it is not.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <span>
#include <string_view>

#include "base/result.h"
#include "svsm/boot/exceptions.h"
#include "svsm/boot/image_symbols.h"
#include "svsm/boot/paging.h"
#include "svsm/console/console.h"
#include "svsm/console/line.h"
#include "svsm/hw/cpu.h"
#include "svsm/panic/fail.h"
#include "svsm/platform/native_platform.h"
#include "svsm/platform/platform.h"
#include "svsm/reasons.h"
#include "svsm/runtime/runtime.h"

extern "C" {
[[noreturn]] void SvsmMain(uint32_t start_info);
extern const char ForelockEntry[];
extern const uint8_t second_cpu_start[];
extern const uint8_t second_cpu_started[];
extern const uint8_t second_cpu_end[];
void* guest_calloc(size_t count, size_t size);
void guest_free(void* pointer);
}

namespace svsm {
namespace {

// EDGE (all of this file): it breaks the rules on purpose, one at a time.

constinit NativePlatform platform;
char command_line[64];

[[gnu::noinline]] void UndefinedInstruction() { asm volatile("ud2"); }

[[gnu::noinline]] void DivideByZero() {
  asm volatile("divl %0" : : "r"(0), "a"(1), "d"(0));
}

[[gnu::noinline]] void ReadNull() {
  uint32_t value;
  asm volatile("movl 8, %0" : "=r"(value));
}

[[gnu::noinline]] void WriteText() {
  *reinterpret_cast<volatile uint8_t*>(AddressOf(__text_start)) = 0xC3;
}

[[gnu::noinline]] void WriteRodata() {
  *reinterpret_cast<volatile uint8_t*>(AddressOf(__rodata_start)) = 0;
}

[[gnu::noinline]] void WriteConfig() {
  *reinterpret_cast<volatile uint8_t*>(AddressOf(__config_start)) = 1;
}

[[gnu::noinline]] void ExecuteData() {
  static uint8_t code[] = {0xC3};
  asm volatile("call *%0" : : "r"(code) : "memory");
}

[[gnu::noinline]] void ExecuteRam() {
  constexpr uint64_t kSomewhere = 0x1000000;
  *reinterpret_cast<volatile uint8_t*>(kSomewhere) = 0xC3;
  asm volatile("call *%0" : : "r"(kSomewhere) : "memory");
}

// NOLINTNEXTLINE(misc-no-recursion)
[[gnu::noinline]] uint64_t OverflowStack(uint64_t depth) {
  volatile uint8_t frame[1024];
  frame[depth % sizeof(frame)] = 1;
  if (depth == UINT64_MAX) return 0;
  return OverflowStack(depth + 1) + frame[0];
}

// With the stack pointer itself below the stack, where not even the first
// push of a handler would work on it.
[[gnu::noinline]] void LoseStack() {
  asm volatile("movq %0, %%rsp; push %%rax" : : "r"(AddressOf(__stack_bottom)));
}

[[gnu::noinline]] void IndexOutOfBounds() {
  uint8_t bytes[4] = {};
  const std::span<uint8_t> span(bytes);
  volatile size_t index = 4;
  span[index] = 1;
}

[[gnu::noinline]] void FreeTwice() {
  void* pointer = guest_calloc(1, 100);
  guest_free(pointer);
  guest_free(pointer);
}

[[gnu::noinline]] void RaiseNmi() { asm volatile("int $2"); }
[[gnu::noinline]] void RaiseInterrupt() { asm volatile("int $0x80"); }

[[gnu::noinline]] void MissingMsr() {
  uint64_t value = 0;
  console::Print(Line() << (ReadMsrOrFault(0xC0010131, &value) ? "msr: there"
                                                               : "msr: none"));
}

// A last act that fails must hide neither the reason nor the end.
[[gnu::noinline]] void FailBadly() {
  last_acts.wipes[0] = [] { __builtin_trap(); };
  Fail(base::Status(base::Code::kInternal, kTrap));
}
[[gnu::noinline]] void TrapBadly() {
  last_acts.wipes[0] = [] { __builtin_trap(); };
  __builtin_trap();
}
// What is left of the last acts is done.
[[gnu::noinline]] void ClearBadly() {
  last_acts.clear_shared_pages = [] { __builtin_trap(); };
  last_acts.wipes = {[] { console::Print(Line() << "first wipe"); },
                     [] { __builtin_trap(); }, [] { __builtin_trap(); },
                     [] { console::Print(Line() << "last wipe"); }};
  __builtin_trap();
}

// As a host would inject events into a wipe: it is begun again.
[[gnu::noinline]] void InterruptWipe() {
  last_acts.wipes = {[] {
                       static int times = 0;
                       if (++times < LastActs::kTries) RaiseNmi();
                       console::Print(Line() << "wiped at last");
                     },
                     [] { console::Print(Line() << "last wipe"); }};
  __builtin_trap();
}

// As another CPU would come: in 32-bit code, at the entry, with the flag set.
[[gnu::noinline]] void EnterAgain() {
  static uint64_t gdt[] = {0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF,
                           0x00CF9B000000FFFF};
  struct [[gnu::packed]] {
    uint16_t limit;
    uint64_t base;
  } const gdtr = {sizeof(gdt) - 1, AddressOf(gdt)};
  asm volatile("lgdt %0; pushq $0x18; pushq %1; lretq"
               :
               : "m"(gdtr), "r"(AddressOf(ForelockEntry))
               : "memory");
}

// A real one: INIT, then start-up until it runs ([amd/vol2] 16.5). This CPU
// goes on when somebody types, which is when the test has seen the other one's
// end.
[[gnu::noinline]] void StartSecondCpu() {
  constexpr uint64_t kPlace = 0x8000;  // second_cpu.S
  constexpr uint64_t kInterruptCommand = 0xFEE00300;
  constexpr uint32_t kInitAllOthers = 0x000C4500;
  constexpr uint32_t kStartAllOthers = 0x000C4600 | kPlace >> 12;
  const uint64_t size = AddressOf(second_cpu_end) - AddressOf(second_cpu_start);
  memcpy(reinterpret_cast<uint8_t*>(kPlace), second_cpu_start, size);
  auto* command = reinterpret_cast<volatile uint32_t*>(kInterruptCommand);
  auto* started = reinterpret_cast<volatile uint32_t*>(
      kPlace + AddressOf(second_cpu_started) - AddressOf(second_cpu_start));
  *command = kInitAllOthers;
  while (*started == 0) {
    *command = kStartAllOthers;
    hw::Pause();
  }
  constexpr uint16_t kLineStatus = 0x3FD;
  while ((hw::In8(kLineStatus) & 1) == 0) hw::Pause();
  console::Print(Line() << "the first CPU goes on");
  PowerOff();
}

struct Fault {
  std::string_view name;
  void (*commit)();
};
constexpr Fault kFaults[] = {
    {"undefined", UndefinedInstruction},
    {"divide", DivideByZero},
    {"null", ReadNull},
    {"write-text", WriteText},
    {"write-rodata", WriteRodata},
    {"write-config", WriteConfig},
    {"execute-data", ExecuteData},
    {"execute-ram", ExecuteRam},
    {"overflow", [] { static_cast<void>(OverflowStack(0)); }},
    {"lose-stack", LoseStack},
    {"bounds", IndexOutOfBounds},
    {"free-twice", FreeTwice},
    {"fail-badly", FailBadly},
    {"trap-badly", TrapBadly},
    {"clear-badly", ClearBadly},
    {"interrupt-wipe", InterruptWipe},
    {"nmi", RaiseNmi},
    {"interrupt", RaiseInterrupt},
    {"msr", MissingMsr},
    {"enter-again", EnterAgain},
    {"second-cpu", StartSecondCpu},
};

// The command line's address lies at offset 24 of hvm_start_info.
void CopyCommandLine(uint32_t start_info) {
  const auto text =
      *reinterpret_cast<const uint64_t*>(uint64_t{start_info} + 24);
  const auto* from = reinterpret_cast<const char*>(text);
  for (size_t i = 0; i + 1 < sizeof(command_line) && from[i] != '\0'; ++i) {
    command_line[i] = from[i];
  }
}

}  // namespace
}  // namespace svsm

void SvsmMain(uint32_t start_info) {
  using namespace svsm;
  SetPlatform(platform);
  console::Init();
  InstallExceptionHandlers();
  MaskInterruptControllers();
  CopyCommandLine(start_info);
  InstallPageTables();
  InitRuntime();
  const std::string_view wanted(command_line, strlen(command_line));
  for (const Fault& fault : kFaults) {
    if (fault.name == wanted) fault.commit();
  }
  console::Print(Line() << "survived " << wanted);
  Fail(base::Status());
}
