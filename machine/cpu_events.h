// SPDX-License-Identifier: Apache-2.0
//
// CpuEvents: what a Cpu tells the machine around it, and asks of it.
//
// Every call comes from inside Cpu::Run(), on its thread, and may use the Cpu:
// read and write registers and memory, change the Rmp, Inject(), Stop(), even
// Run() another Cpu of the same memory. No exceptions may leave them.
#pragma once

#include <stdint.h>

#include "machine/rmp.h"

namespace machine {

class Cpu;

// An access that Cpu::Watch() or WatchShared() wants to see, about to happen.
struct WatchedAccess {
  uint64_t gpa = 0;  // of the first byte
  uint64_t gva = 0;
  uint64_t rip = 0;
  Access access = Access::kRead;
  bool c_bit = false;
  unsigned size = 0;  // bytes
};

struct NestedFault {
  Rule rule = Rule::kNone;
  uint64_t gpa = 0;
  uint64_t gva = 0;
  uint64_t rip = 0;
  Access access = Access::kRead;
  bool c_bit = false;
};

class CpuEvents {
 public:
  virtual ~CpuEvents() = default;

  // VMGEXIT: the request is in cpu.ghcb_msr(). RIP is past the instruction.
  virtual void OnVmgexit(Cpu& cpu) = 0;

  // #VC is about to be delivered; RIP is at the instruction that caused it.
  virtual void OnVc(Cpu& cpu, uint32_t error_code);

  // HLT; RIP is past it. The guest goes on unless Stop() was called, which is
  // what this does.
  virtual void OnHalt(Cpu& cpu);

  // PAUSE: the guest polls. A good place to let others run.
  virtual void OnPause(Cpu& cpu);

  // MOV to CR3, before it takes effect. RIP is at the instruction.
  virtual void OnWriteCr3(Cpu& cpu, uint64_t value);

  // Code of this page is about to be fetched: each time its translation is not
  // in the TLB, so more than once.
  virtual void OnFetchPage(Cpu& cpu, uint64_t gpa);

  // The CPU is about to deliver an exception through the guest's IDT. RIP is as
  // the guest will find it. `vc_error`: #VC's error code.
  virtual void OnException(Cpu& cpu, uint8_t vector, uint32_t vc_error);

  // Each access to a watched page. Unaligned and locked accesses come in parts.
  virtual void OnWatchedAccess(Cpu& cpu, const WatchedAccess& access);

  // The instruction count passed what Cpu::NotifyAt() asked for.
  virtual void OnCount(Cpu& cpu);

  // A nested page fault. True: something was changed, try again. This smashes
  // 2 MiB entries for kSizeMismatch and gives up on everything else.
  virtual bool OnNestedFault(Cpu& cpu, const NestedFault& fault);

  // A read of a private page through C=0 is about to give ciphertext: no fault
  // on hardware, and still a mistake of the guest or a trick of its host. Once
  // for each translation, not for each read. `fault` says where.
  virtual void OnCiphertextRead(Cpu& cpu, const NestedFault& fault);

  // What RDTSC and RDRAND/RDSEED give. These are deterministic: a counter that
  // follows the executed instructions, and a fixed stream.
  virtual uint64_t ReadTsc(Cpu& cpu);
  virtual uint64_t Random64(Cpu& cpu);

 private:
  uint64_t random_state_ = 0;
};

}  // namespace machine
