// SPDX-License-Identifier: Apache-2.0
//
// The instructions and MSRs that SNP adds or changes.
//
// Spec: AMD 24594 (APM volume 3), PVALIDATE, RMPADJUST, VMGEXIT; which MSRs a
// guest reaches without #VC follows KVM (svm_direct_access_msrs).
#include <algorithm>
#include <array>

#include "absl/strings/str_format.h"
#include "machine/cpu_core.h"
#include "machine/engine_lacks.h"
#include "sev/ghcb.h"
#include "sev/vmsa.h"

namespace machine {
namespace {

inline constexpr uint32_t kMsrEfer = 0xC0000080;

// Read and written without an exit; the engine keeps them.
inline constexpr std::array<uint32_t, 13> kDirectMsrs = {
    0x174,      0x175,      0x176,                   // SYSENTER_*
    0x277,                                           // PAT
    0xC0000081, 0xC0000082, 0xC0000083, 0xC0000084,  // STAR...SFMASK
    0xC0000100, 0xC0000101, 0xC0000102,              // FS, GS, KGS base
    0xC0000103,                                      // TSC_AUX
    0x48,                                            // SPEC_CTRL
};

inline constexpr uint64_t kArithmeticFlags = 0x8D5;  // OF SF ZF AF PF CF
inline constexpr uint64_t kCarry = 1;

bool IsLegacyPrefix(uint8_t byte) {
  switch (byte) {
    case 0x26:
    case 0x2E:
    case 0x36:
    case 0x3E:
    case 0x64:
    case 0x65:
    case 0x66:
    case 0x67:
    case 0xF0:
    case 0xF2:
    case 0xF3:
      return true;
    default:
      return false;
  }
}

struct Opcode {
  uint8_t repeat = 0;  // the last of F2, F3
  size_t at = 0;       // of the first byte after the prefixes
};

Opcode SkipPrefixes(base::Bytes code, bool mode64) {
  Opcode opcode;
  while (opcode.at < code.size() && IsLegacyPrefix(code[opcode.at])) {
    const uint8_t prefix = code[opcode.at++];
    if (prefix == 0xF2 || prefix == 0xF3) opcode.repeat = prefix;
  }
  if (mode64 && opcode.at < code.size() && (code[opcode.at] & 0xF0) == 0x40) {
    ++opcode.at;
  }
  return opcode;
}

enum class Special { kNone, kVector, kInvd, kWbinvd };

// Of VEX only the general-purpose instructions (BMI1, BMI2) are right in the
// engine; the others it runs as if they were their SSE forms.
bool IsGeneralPurposeVex(base::Bytes vex) {
  if (vex.size() < 4 || vex[0] != 0xC4) return false;
  const uint8_t map = vex[1] & 0x1F;
  const uint8_t opcode = vex[3];
  return (map == 2 && (opcode == 0xF2 || opcode == 0xF3 || opcode == 0xF5 ||
                       opcode == 0xF7 || opcode == 0xF6)) ||
         (map == 3 && opcode == 0xF0);
}

Special ClassOf(base::Bytes code, bool mode64) {
  const size_t at = SkipPrefixes(code, mode64).at;
  if (code.size() < at + 2) return Special::kNone;
  const uint8_t first = code[at], second = code[at + 1];
  if (first == 0x0F && second == 0x08) return Special::kInvd;
  if (first == 0x0F && second == 0x09) return Special::kWbinvd;
  if (first == 0xC4 || first == 0xC5 || first == 0x62) {
    // Outside 64-bit mode LES, LDS and BOUND, unless the operand would be a
    // register.
    if (!mode64 && second < 0xC0) return Special::kNone;
    return IsGeneralPurposeVex(code.subspan(at)) ? Special::kNone
                                                 : Special::kVector;
  }
  if (first == 0x8F && (second & 0x1F) >= 8) return Special::kVector;  // XOP
  return Special::kNone;
}

}  // namespace

bool CpuCore::IsSpecial(uint64_t pc) {
  std::array<uint8_t, 15> code = {};
  const size_t size = ReadCode(pc, code);
  return ClassOf(std::span(code).first(size), RegisterIs64Bit()) !=
         Special::kNone;
}

void CpuCore::TranslateSpecial(uint64_t pc) {
  std::array<uint8_t, 15> code = {};
  const size_t size = ReadCode(pc, code);
  switch (ClassOf(std::span(code).first(size), RegisterIs64Bit())) {
    case Special::kNone:
      return;
    case Special::kVector:
      RequestStop(
          StopKind::kUnsupported,
          absl::StrFormat("this engine cannot run VEX, EVEX and XOP (%s): it "
                          "would do something else",
                          HexOfCode(std::span(code).first(size))));
      LeaveEngine(0);
    case Special::kInvd:
      RaiseVc(kExitInvd, 0);
    case Special::kWbinvd:
      RaiseVc(kExitWbinvd, 0);
  }
}

void CpuCore::Finish(int length) {
  state_.rip() += static_cast<uint64_t>(length);
  counter_.AddOne();
}

bool CpuCore::EmulateSnpInstruction() {
  std::array<uint8_t, 15> bytes = {};
  const size_t size = ReadCode(state_.rip() + state_.segment(kCs).base, bytes);
  const base::Bytes code = std::span(bytes).first(size);
  const Opcode opcode = SkipPrefixes(code, RegisterIs64Bit());
  if (size < opcode.at + 3 || code[opcode.at] != 0x0F ||
      code[opcode.at + 1] != 0x01) {
    return false;
  }
  const int length = static_cast<int>(opcode.at) + 3;
  switch (code[opcode.at + 2]) {
    case 0xD9:
      if (opcode.repeat == 0) {
        RaiseVc(kExitVmmcall, 0);
      }
      Finish(length);
      events_.OnVmgexit(cpu_);
      AfterEvent();
      if (!injections.empty()) UpdateNextCheck();
      return true;
    case 0xFF:
      if (opcode.repeat != 0xF2) return false;
      EmulatePageInstruction(/*pvalidate=*/true, length);
      return true;
    case 0xFE:
      if (opcode.repeat != 0xF3 || !RegisterIs64Bit()) return false;
      EmulatePageInstruction(/*pvalidate=*/false, length);
      return true;
    default:
      return false;
  }
}

// PVALIDATE and RMPADJUST: rAX a virtual address, rCX the size, rDX what to do.
void CpuCore::EmulatePageInstruction(bool pvalidate, int length) {
  if ((state_.hflags() & kHflagsCplMask) != 0) {
    Raise(kVectorGeneralProtection, 0, 0);
  }
  const uint64_t mask = RegisterIs64Bit() ? ~uint64_t{0} : 0xFFFFFFFF;
  const uint64_t gva = state_.gpr(0) & mask & ~(kPageSize - 1);
  const auto size = static_cast<RmpPageSize>(state_.gpr(1) & 1);
  const uint64_t what = state_.gpr(2) & mask;

  for (;;) {
    const WalkResult walk =
        Walk(paging(), memory_, rmp_, {.gva = gva, .access = Access::kRead});
    RmpResult result;
    switch (walk.outcome) {
      case WalkOutcome::kPageFault:
        RaisePageFault(gva, walk.error_code, 0);
      case WalkOutcome::kNonCanonical:
        Raise(kVectorGeneralProtection, 0, 0);
      case WalkOutcome::kUnsupported:
      case WalkOutcome::kBadTable:
        result.fault = walk.rule;
        break;
      case WalkOutcome::kTranslated:
        if (!walk.c_bit) {
          result.fault = Rule::kSharedInstruction;
        } else if (pvalidate) {
          result = rmp_.Pvalidate(walk.gpa, size, (what & 1) != 0, vmpl);
        } else {
          result = rmp_.Rmpadjust(walk.gpa, size, what, vmpl);
        }
    }
    if (result.fault != Rule::kNone) {
      Fault({.rule = result.fault,
             .gpa = walk.gpa,
             .gva = gva,
             .rip = state_.rip(),
             .access = Access::kWrite,
             .c_bit = walk.c_bit},
            0);
      continue;  // mended
    }
    state_.gpr(0) = result.eax;
    uint64_t flags = rflags() & ~kArithmeticFlags;
    if (result.carry) flags |= kCarry;
    uc_reg_write(engine_, UC_X86_REG_EFLAGS, &flags);
    AfterEvent();
    Finish(length);
    return;
  }
}

// --- MSRs.

bool CpuCore::ReadMsr(uintptr_t ra) {
  uint64_t value = 0;
  switch (const auto msr = static_cast<uint32_t>(state_.gpr(1)); msr) {
    case sev::kGhcbMsr:
      value = ghcb_msr;
      break;
    case sev::kSevStatusMsr:
      value = sev_status;
      break;
    case kMsrEfer:
      value = state_.efer() | sev::kEferSvme;
      break;
    default:
      if (std::ranges::find(kDirectMsrs, msr) != kDirectMsrs.end()) {
        return false;
      }
      RaiseVc(static_cast<uint32_t>(sev::kExitMsr), ra);
  }
  state_.gpr(0) = static_cast<uint32_t>(value);
  state_.gpr(2) = value >> 32;
  return true;
}

bool CpuCore::WriteMsr(uintptr_t ra) {
  const uint64_t value = (state_.gpr(0) & 0xFFFFFFFF) | state_.gpr(2) << 32;
  switch (const auto msr = static_cast<uint32_t>(state_.gpr(1)); msr) {
    case sev::kGhcbMsr:
      ghcb_msr = value;
      return true;
    case sev::kSevStatusMsr:
      Raise(kVectorGeneralProtection, 0, ra);
    case kMsrEfer:
      // The next VMRUN finds the VMSA invalid. APM volume 2, 15.5.1,
      // "Canonicalization and Consistency Checks".
      if ((value & sev::kEferSvme) == 0) {
        RequestStop(StopKind::kViolation, "the guest cleared EFER.SVME");
        LeaveEngine(ra);
      }
      // The engine masks what it does not know, SVME among it. NXE changes
      // what the TLB holds.
      FlushTlb();
      return false;
    default:
      if (std::ranges::find(kDirectMsrs, msr) != kDirectMsrs.end()) {
        return false;
      }
      RaiseVc(static_cast<uint32_t>(sev::kExitMsr), ra);
  }
}

}  // namespace machine
