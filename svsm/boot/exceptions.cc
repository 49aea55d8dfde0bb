// SPDX-License-Identifier: Apache-2.0
#include "svsm/boot/exceptions.h"

#include <string_view>

#include "base/result.h"
#include "svsm/boot/backtrace.h"
#include "svsm/boot/image_symbols.h"
#include "svsm/console/console.h"
#include "svsm/console/line.h"
#include "svsm/hw/cpu.h"
#include "svsm/panic/fail.h"
#include "svsm/platform/platform.h"
#include "svsm/reasons.h"

extern "C" {
extern const char exception_vectors[];
extern const char read_msr_instruction[];
extern const char read_msr_fault[];
void SvsmException(svsm::ExceptionFrame* frame);
}

namespace svsm {
namespace {

constexpr size_t kVectors = 256;
constexpr uint64_t kVectorStride = 16;
constexpr uint64_t kDoubleFault = 8;
constexpr uint64_t kGeneralProtection = 13;
constexpr uint64_t kPageFault = 14;
constexpr uint64_t kVmmCommunication = 29;  // #VC
constexpr uint16_t kCodeSelector = 0x08;
constexpr uint16_t kTaskSelector = 0x18;
constexpr uint8_t kIstExceptions = 1;
constexpr uint8_t kIstDoubleFault = 2;
constexpr size_t kExceptionStackSize = 8192;
constexpr size_t kBacktraceDepth = 16;

struct [[gnu::packed]] TaskState {
  uint32_t reserved_00;
  uint64_t rsp[3];
  uint64_t reserved_1c;
  uint64_t ist[7];
  uint64_t reserved_5c;
  uint16_t reserved_64;
  uint16_t io_map_base;
};
static_assert(sizeof(TaskState) == 104);

struct Gate {
  uint16_t offset_low;
  uint16_t selector;
  uint8_t ist;
  uint8_t type;
  uint16_t offset_middle;
  uint32_t offset_high;
  uint32_t reserved_0c;
};
static_assert(sizeof(Gate) == 16);

struct [[gnu::packed]] TableRegister {
  uint16_t limit;
  uint64_t base;
};

// 0x08 and 0x10 as in boot/entry.S, so that no selector has to be reloaded.
constinit uint64_t gdt[5] = {0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0, 0};
constinit TaskState task = {};
constinit Gate idt[kVectors] = {};
alignas(16) constinit uint8_t exception_stack[kExceptionStackSize];
alignas(16) constinit uint8_t double_fault_stack[kExceptionStackSize];
constinit bool in_exception = false;

std::string_view NameOf(uint64_t vector) {
  static constexpr std::string_view kNames[] = {"divide error",
                                                "debug",
                                                "NMI",
                                                "breakpoint",
                                                "overflow",
                                                "bound range",
                                                "invalid opcode",
                                                "no FPU",
                                                "double fault",
                                                "reserved",
                                                "invalid TSS",
                                                "segment not present",
                                                "stack fault",
                                                "general protection",
                                                "page fault",
                                                "reserved",
                                                "x87",
                                                "alignment",
                                                "machine check",
                                                "SIMD"};
  if (vector < std::size(kNames)) return kNames[vector];
  if (vector == kVmmCommunication) return "VMM communication";
  return vector < 32 ? "reserved" : "interrupt";
}

void Describe(const ExceptionFrame& frame) {
  Line what;
  what << "exception: vector " << frame.vector << " (" << NameOf(frame.vector)
       << "), error code ";
  what.Hex(frame.error_code) << ", rip ";
  what.Hex(frame.rip) << ", rsp ";
  what.Hex(frame.rsp);
  if (frame.vector == kPageFault) (what << ", address ").Hex(hw::ReadCr2());
  console::Print(what);

  uint64_t callers[kBacktraceDepth];
  const StackBounds stack = {AddressOf(__stack_bottom), AddressOf(__stack_top)};
  const size_t count = WalkFramePointers(frame.rbp, stack, callers);
  Line trace;
  trace << "backtrace:";
  for (size_t i = 0; i < count; ++i) (trace << " ").Hex(callers[i]);
  console::Print(trace);
}

}  // namespace

void InstallExceptionHandlers() {
  task.ist[kIstExceptions - 1] =
      AddressOf(exception_stack + sizeof(exception_stack));
  task.ist[kIstDoubleFault - 1] =
      AddressOf(double_fault_stack + sizeof(double_fault_stack));
  task.io_map_base = sizeof(TaskState);

  const uint64_t base = AddressOf(&task);
  constexpr uint64_t kAvailableTask = 0x89;
  gdt[3] = (sizeof(TaskState) - 1) | (base & 0xFFFFFF) << 16 |
           kAvailableTask << 40 | (base >> 24 & 0xFF) << 56;
  gdt[4] = base >> 32;

  constexpr uint8_t kInterruptGate = 0x8E;
  for (size_t i = 0; i < kVectors; ++i) {
    const uint64_t entry = AddressOf(exception_vectors) + i * kVectorStride;
    idt[i] = {.offset_low = static_cast<uint16_t>(entry),
              .selector = kCodeSelector,
              .ist = i == kDoubleFault ? kIstDoubleFault : kIstExceptions,
              .type = kInterruptGate,
              .offset_middle = static_cast<uint16_t>(entry >> 16),
              .offset_high = static_cast<uint32_t>(entry >> 32),
              .reserved_0c = 0};
  }

  const TableRegister gdtr = {sizeof(gdt) - 1, AddressOf(gdt)};
  const TableRegister idtr = {sizeof(idt) - 1, AddressOf(idt)};
  // EDGE: the tables above are complete, and live as long as the image.
  asm volatile("lgdt %0; lidt %1; ltr %2"
               :
               : "m"(gdtr), "m"(idtr), "r"(kTaskSelector)
               : "memory");
}

void MaskInterruptControllers() {
  constexpr uint16_t kPicData[] = {0x21, 0xA1};
  for (const uint16_t port : kPicData) ThePlatform().Out8(port, 0xFF);
}

}  // namespace svsm

void SvsmException(svsm::ExceptionFrame* frame) {
  using svsm::AddressOf;
  if (frame->vector == svsm::kGeneralProtection &&
      frame->rip == AddressOf(read_msr_instruction)) {
    frame->rip = AddressOf(read_msr_fault);
    return;
  }
  base::Status why(base::Code::kInternal, svsm::kException);
  // The handler itself failed: its stack is no longer what it was.
  if (svsm::in_exception) svsm::CutPower(why);
  svsm::in_exception = true;
  if (frame->vector == svsm::kVmmCommunication) {
    why = svsm::ThePlatform().HandleVc(*frame);
    if (why.ok()) {
      svsm::in_exception = false;
      return;
    }
  }
  svsm::RecordFailure(why);
  svsm::Describe(*frame);
  svsm::FailInException(why);
}
