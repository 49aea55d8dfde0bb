// SPDX-License-Identifier: Apache-2.0
#include "machine/cpu.h"

#include <utility>

#include "machine/cpu_core.h"
#include "sev/ghcb.h"

namespace machine {
namespace {

namespace layout = sev::vmsa_layout;

using Vmsa = std::span<const uint8_t, sev::kVmsaSize>;

template <typename F>
EngineSegment SegmentOf(Vmsa vmsa) {
  namespace part = sev::vmsa_segment_layout;
  const auto bytes = sev::FieldOf<F>(vmsa);
  const auto attributes =
      uint32_t{sev::GetLe<uint16_t, part::Attributes>(bytes)};
  return {.selector = sev::GetLe<uint16_t, part::Selector>(bytes),
          .base = sev::GetLe<uint64_t, part::Base>(bytes),
          .limit = sev::GetLe<uint32_t, part::Limit>(bytes),
          .flags = (attributes & 0xFF) << 8 | (attributes & 0xF00) << 12};
}

inline constexpr uint32_t kDescriptorLong = 1 << 21;     // L
inline constexpr uint32_t kDescriptorDefault = 1 << 22;  // D, B

// The engine's summary of the registers below.
uint32_t HflagsOf(const EngineState& state, uint64_t rflags, uint8_t cpl) {
  const uint64_t cr0 = state.cr(0), cr4 = state.cr(4);
  uint32_t hflags = cpl & kHflagsCplMask;
  if ((cr0 & kCr0Pe) != 0) hflags |= kHflagsPe;
  hflags |= static_cast<uint32_t>((cr0 >> 1) & 7) << kHflagsMpShift;
  hflags |= static_cast<uint32_t>(rflags) & kHflagsIoplMask;
  if ((cr4 & (1 << 9)) != 0) hflags |= kHflagsOsfxsr;
  if ((cr4 & kCr4Smap) != 0) hflags |= kHflagsSmap;
  const bool lma = (state.efer() & kEferLma) != 0;
  if (lma) hflags |= kHflagsLma;
  if (lma && (state.segment(kCs).flags & kDescriptorLong) != 0) {
    return hflags | kHflagsCs64 | kHflagsCs32 | kHflagsSs32;
  }
  if ((state.segment(kCs).flags & kDescriptorDefault) != 0) {
    hflags |= kHflagsCs32;
  }
  if ((state.segment(kSs).flags & kDescriptorDefault) != 0) {
    hflags |= kHflagsSs32;
  }
  if ((state.segment(kDs).base | state.segment(kEs).base |
       state.segment(kSs).base) != 0) {
    hflags |= kHflagsAddSeg;
  }
  return hflags;
}

}  // namespace

void CpuCore::LoadVmsa(Vmsa vmsa) {
  state_.segment(kEs) = SegmentOf<layout::Es>(vmsa);
  state_.segment(kCs) = SegmentOf<layout::Cs>(vmsa);
  state_.segment(kSs) = SegmentOf<layout::Ss>(vmsa);
  state_.segment(kDs) = SegmentOf<layout::Ds>(vmsa);
  state_.segment(kFs) = SegmentOf<layout::Fs>(vmsa);
  state_.segment(kGs) = SegmentOf<layout::Gs>(vmsa);
  state_.segment(kLdt) = SegmentOf<layout::Ldtr>(vmsa);
  state_.segment(kTr) = SegmentOf<layout::Tr>(vmsa);
  state_.segment(kGdt) = SegmentOf<layout::Gdtr>(vmsa);
  state_.segment(kIdt) = SegmentOf<layout::Idtr>(vmsa);
  const auto get = [vmsa]<typename F>() {
    return sev::GetLe<uint64_t, F>(vmsa);
  };
  state_.cr(0) = get.operator()<layout::Cr0>();
  state_.cr(3) = get.operator()<layout::Cr3>();
  state_.cr(4) = get.operator()<layout::Cr4>();
  // The engine would take SVME for leave to run VMRUN.
  state_.efer() = get.operator()<layout::Efer>() & ~sev::kEferSvme;
  state_.gpr(0) = get.operator()<layout::Rax>();
  state_.gpr(1) = get.operator()<layout::Rcx>();
  state_.gpr(2) = get.operator()<layout::Rdx>();
  state_.gpr(3) = get.operator()<layout::Rbx>();
  state_.gpr(4) = get.operator()<layout::Rsp>();
  state_.gpr(5) = get.operator()<layout::Rbp>();
  state_.gpr(6) = get.operator()<layout::Rsi>();
  state_.gpr(7) = get.operator()<layout::Rdi>();
  for (int i = 8; i < 16; ++i) state_.gpr(i) = 0;
  state_.rip() = get.operator()<layout::Rip>();
  uint64_t rflags = get.operator()<layout::Rflags>();
  uc_reg_write(engine_, UC_X86_REG_EFLAGS, &rflags);
  uint32_t mxcsr = sev::GetLe<uint32_t, layout::Mxcsr>(vmsa);
  uc_reg_write(engine_, UC_X86_REG_MXCSR, &mxcsr);
  uint16_t fcw = sev::GetLe<uint16_t, layout::X87Fcw>(vmsa);
  uc_reg_write(engine_, UC_X86_REG_FPCW, &fcw);
  state_.hflags() =
      HflagsOf(state_, rflags, sev::GetLe<uint8_t, layout::Cpl>(vmsa));
  vmpl = sev::GetLe<uint8_t, layout::Vmpl>(vmsa) & 3;
  // SEV and SEV-ES are what a VMSA implies.
  sev_status = sev::kSevStatusSev | sev::kSevStatusEs |
               get.operator()<layout::SevFeatures>() << 2;
  FlushTlb();
}

Cpu::Cpu(Rmp& rmp) : rmp_(rmp) {}
Cpu::~Cpu() = default;

absl::StatusOr<std::unique_ptr<Cpu>> Cpu::Create(const GuestMemory& memory,
                                                 Rmp& rmp, CpuEvents& events,
                                                 const CpuOptions& options) {
  if (options.c_bit < 32 || options.c_bit > 51 || options.phys_bits < 36 ||
      options.phys_bits > 52 || options.phys_bits < 0) {
    return absl::InvalidArgumentError("the C-bit or the address width");
  }
  std::unique_ptr<Cpu> cpu(new Cpu(rmp));
  cpu->core_ = std::make_unique<CpuCore>(*cpu, memory, rmp, events, options);
  if (absl::Status status = cpu->core_->Open(); !status.ok()) return status;
  return cpu;
}

void Cpu::LoadVmsa(Vmsa vmsa) { core_->LoadVmsa(vmsa); }
StopReason Cpu::Run(const RunLimits& limits) { return core_->Run(limits); }

void Cpu::Stop(std::string text) {
  StopAs(StopKind::kRequested, std::move(text));
}
void Cpu::StopAs(StopKind kind, std::string text) {
  core_->RequestStop(kind, std::move(text));
}
void Cpu::Inject(const Injection& injection) {
  core_->injections.push_back(injection);
  core_->UpdateNextCheck();
}
void Cpu::NotifyAt(uint64_t count) {
  core_->notify_at = count;
  core_->UpdateNextCheck();
}
void Cpu::ForgetCode() { core_->ForgetCode(); }
void Cpu::Watch(uint64_t gpa, uint64_t size) { core_->Watch(gpa, size); }
void Cpu::WatchShared() { core_->WatchShared(); }
void Cpu::UnwatchAll() { core_->UnwatchAll(); }

uint64_t Cpu::gpr(Gpr which) const {
  return core_->state().gpr(static_cast<int>(which));
}
void Cpu::set_gpr(Gpr which, uint64_t value) {
  core_->state().gpr(static_cast<int>(which)) = value;
}
uint64_t Cpu::rip() const { return core_->state().rip(); }
void Cpu::set_rip(uint64_t value) { core_->state().rip() = value; }
uint64_t Cpu::rflags() const { return core_->rflags(); }
uint64_t Cpu::cr(int which) const { return core_->state().cr(which); }
uint64_t Cpu::efer() const { return core_->state().efer() | sev::kEferSvme; }
bool Cpu::long_mode() const {
  return (core_->state().hflags() & kHflagsCs64) != 0;
}
uint64_t Cpu::ghcb_msr() const { return core_->ghcb_msr; }
void Cpu::set_ghcb_msr(uint64_t value) { core_->ghcb_msr = value; }
uint64_t Cpu::sev_status() const { return core_->sev_status; }
void Cpu::set_sev_status(uint64_t value) { core_->sev_status = value; }
uint8_t Cpu::vmpl() const { return core_->vmpl; }
uint64_t Cpu::instructions() const { return core_->counter().count(); }

std::optional<Cpu::Translation> Cpu::Translate(uint64_t gva) const {
  const auto walk = core_->Look(gva, Access::kRead);
  if (!walk.has_value()) return std::nullopt;
  return Translation{walk->gpa, walk->c_bit};
}

std::vector<Frame> Cpu::Backtrace() const { return core_->Backtrace(); }

}  // namespace machine
