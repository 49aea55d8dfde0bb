// SPDX-License-Identifier: Apache-2.0
//
// ExitHook: where a test plays a hostile hypervisor. It sees each exit before
// and after the honest hypervisor does, may answer in its place, and may do to
// memory and CPU whatever a host may do (Machine's accessors).
#pragma once

#include <stdint.h>

#include <string>

#include "machine/cause.h"
#include "machine/cpu_events.h"

namespace machine {

class Machine;

// One VMGEXIT.
struct Exit {
  uint64_t number = 0;  // From 1.
  uint64_t rip = 0;
  uint64_t instructions = 0;  // Executed so far.
  Cause cause = Cause::kUnknown;

  // The GHCB MSR: the request, and once it is answered the answer. A multiple
  // of a page: the GHCB page's address.
  uint64_t msr = 0;
  bool by_page = false;

  // By page: the fields as they were when the guest left, 0 where the valid
  // bitmap does not name them. Answers are written into the page itself.
  uint64_t code = 0, info1 = 0, info2 = 0, scratch = 0;
  uint64_t rax = 0, rbx = 0, rcx = 0, rdx = 0;

  std::string detail;  // For the trace: the request and what became of it.
};

class ExitHook {
 public:
  enum class Verdict : uint8_t {
    kContinue,  // The honest hypervisor answers.
    kHandled,   // The hook has: resume the guest.
    kStop,      // End the run.
  };

  virtual ~ExitHook() = default;
  virtual Verdict Before(Machine& machine, Exit& exit) {
    (void)machine, (void)exit;
    return Verdict::kContinue;
  }
  // The guest is about to go on. Not called if it will not.
  virtual void After(Machine& machine, Exit& exit) {
    (void)machine, (void)exit;
  }

  // The guest polls: let others run.
  virtual void OnPause(Machine& machine) { (void)machine; }
  // What a test asked the CPU for, by Machine::cpu() (cpu_events.h).
  virtual void OnWatchedAccess(Machine& machine, const WatchedAccess& access) {
    (void)machine, (void)access;
  }
  virtual void OnCount(Machine& machine) { (void)machine; }
  // A nested page fault that ends the run if this says false.
  virtual bool OnNestedFault(Machine& machine, const NestedFault& fault) {
    (void)machine, (void)fault;
    return false;
  }
};

}  // namespace machine
