// SPDX-License-Identifier: Apache-2.0
#include "machine/cpu_events.h"

#include "machine/cpu.h"

namespace machine {

void CpuEvents::OnHalt(Cpu& cpu) { cpu.StopAs(StopKind::kHalted, "HLT"); }

void CpuEvents::OnVc(Cpu& /*cpu*/, uint32_t /*error_code*/) {}
void CpuEvents::OnPause(Cpu& /*cpu*/) {}
void CpuEvents::OnWriteCr3(Cpu& /*cpu*/, uint64_t /*value*/) {}
void CpuEvents::OnFetchPage(Cpu& /*cpu*/, uint64_t /*gpa*/) {}
void CpuEvents::OnWatchedAccess(Cpu& /*cpu*/, const WatchedAccess& /*access*/) {
}
void CpuEvents::OnException(Cpu& /*cpu*/, uint8_t /*vector*/,
                            uint32_t /*vc_error*/) {}
void CpuEvents::OnCount(Cpu& /*cpu*/) {}
void CpuEvents::OnCiphertextRead(Cpu& /*cpu*/, const NestedFault& /*fault*/) {}

bool CpuEvents::OnNestedFault(Cpu& cpu, const NestedFault& fault) {
  if (fault.rule != Rule::kSizeMismatch) return false;
  cpu.rmp().Psmash(fault.gpa);
  return true;
}

uint64_t CpuEvents::ReadTsc(Cpu& cpu) { return cpu.instructions(); }

// splitmix64: every value differs from the one before.
uint64_t CpuEvents::Random64(Cpu& /*cpu*/) {
  uint64_t value = random_state_ += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

}  // namespace machine
