// SPDX-License-Identifier: Apache-2.0
//
// The MSRs of the GHCB page's exits: what KVM keeps for a guest.
//
// Spec: APM volume 2, 7.7 (MTRRs), 9 (machine check) and appendix A; KVM,
// arch/x86/kvm/x86.c, set_msr_mce() and kvm_get_msr_common().
#include <algorithm>
#include <array>

#include "absl/strings/str_format.h"
#include "machine/hypervisor.h"

namespace machine {
namespace {

namespace g = sev::ghcb_layout;

constexpr uint64_t kAllOnes = ~uint64_t{0};

constexpr uint64_t kMcgCap = 0x179, kMcgStatus = 0x17A, kMcgCtl = 0x17B,
                   kMcBank0 = 0x400;
constexpr uint64_t kBanks = 10, kRegistersOfABank = 4;
// As QEMU has KVM make it: that many banks, MCG_CTL, software error recovery.
constexpr uint64_t kMcgCapValue = kBanks | 1 << 8 | 1 << 24;

// Read as 0, and what is written is dropped.
constexpr std::array<uint64_t, 10> kOfNoEffect = {
    0xC0010010,  // SYSCFG
    0xC0010015,  // HWCR
    0xC001001F,  // NB_CFG
    0xC0010055,  // interrupt pending message
    0xC0010058,  // MMIO configuration base
    0xC0010112,  // TSEG base
    0xC0010113,  // TSEG mask
    0xC0011022,  // DC_CFG
    0xC0011029,  // DE_CFG
    0xC001102A,  // BU_CFG2
};

bool IsMtrr(uint64_t msr) {
  return (msr >= 0x200 && msr <= 0x20F) || msr == 0x250 || msr == 0x258 ||
         msr == 0x259 || (msr >= 0x268 && msr <= 0x26F) || msr == 0x2FF;
}

bool IsBank(uint64_t msr) {
  return msr >= kMcBank0 && msr - kMcBank0 < kBanks * kRegistersOfABank;
}

// Machine check control registers come out of reset with everything on.
uint64_t AtReset(uint64_t msr) {
  const bool control =
      msr == kMcgCtl ||
      (IsBank(msr) && (msr - kMcBank0) % kRegistersOfABank == 0);
  return control ? kAllOnes : 0;
}

// Whether KVM takes `value`.
bool MayWrite(uint64_t msr, uint64_t value) {
  if (msr == kMcgCtl) return value == 0 || value == kAllOnes;
  if (!IsBank(msr)) return true;
  constexpr uint64_t kMayBeClear = 1 << 10 | 1;
  switch ((msr - kMcBank0) % kRegistersOfABank) {
    case 0:  // MCi_CTL
      return value == 0 || (value | kMayBeClear) == kAllOnes;
    case 1:  // MCi_STATUS
      return value == 0;
    default:
      return true;
  }
}

}  // namespace

void Hypervisor::Msr(Exit& exit, GhcbPage& ghcb) {
  constexpr uint64_t kApicBase = 0x1B, kPatchLevel = 0x8B,
                     kMtrrCapabilities = 0xFE;
  constexpr uint64_t kApicBaseValue = 0xFEE00900;  // Enabled, boot processor.
  constexpr uint64_t kKvmPatchLevel = 0x01000065;
  constexpr uint64_t kEightVariableFixedAndWc = 0x508;
  // Vector 13, an exception, valid; KVM sets no bit for the error code. APM
  // volume 2, 15.20, EVENTINJ.
  constexpr uint64_t kInjectGeneralProtection = 0x8000030D;
  absl::StrAppendFormat(&exit.detail, " msr %#x", exit.rcx);
  const bool write = exit.info1 != 0;
  const uint64_t given = (exit.rax & 0xFFFFFFFF) | exit.rdx << 32;
  const auto kept = [&](uint64_t msr) -> uint64_t& {
    return msrs_.try_emplace(msr, AtReset(msr)).first->second;
  };
  uint64_t value = 0;
  bool good = true;
  if (IsMtrr(exit.rcx) || IsBank(exit.rcx) || exit.rcx == kMcgStatus ||
      exit.rcx == kMcgCtl) {
    good = !write || MayWrite(exit.rcx, given);
    if (write && good) kept(exit.rcx) = given;
    value = kept(exit.rcx);
  } else if (exit.rcx == kApicBase) {
    value = kApicBaseValue;
  } else if (exit.rcx == kMtrrCapabilities) {
    value = kEightVariableFixedAndWc;
    good = !write;
  } else if (exit.rcx == kMcgCap) {
    value = kMcgCapValue;
    good = !write;
  } else if (exit.rcx == kPatchLevel) {
    value = kKvmPatchLevel;
  } else {
    good = std::ranges::find(kOfNoEffect, exit.rcx) != kOfNoEffect.end();
  }
  if (!good) {
    ghcb.Set<g::SwExitInfo1>(sev::kExitResultException);
    ghcb.Set<g::SwExitInfo2>(kInjectGeneralProtection);
    return;
  }
  if (write) return;
  rax_ = value & 0xFFFFFFFF;
  rdx_ = value >> 32;
}

}  // namespace machine
