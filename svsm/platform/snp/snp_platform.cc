// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/snp/snp_platform.h"

#include <stddef.h>
#include <stdint.h>

#include <atomic>
#include <span>

#include "sev/cpuid_page.h"
#include "sev/ghcb.h"
#include "sev/secrets_page.h"
#include "sev/termination.h"
#include "svsm/boot/image_symbols.h"
#include "svsm/boot/page_tables.h"
#include "svsm/boot/paging.h"
#include "svsm/boot/snp_entry.h"
#include "svsm/hw/cpu.h"
#include "svsm/panic/fail.h"
#include "svsm/platform/snp/msr_protocol.h"
#include "svsm/platform/snp/reasons.h"
#include "svsm/platform/snp/sev_status.h"

namespace svsm {
namespace {

using base::Code;
using base::Result;
using base::Status;

// EDGE: the host writes it, so every access goes through SharedRange.
alignas(kPageSize) constinit uint8_t ghcb_page[sev::kGhcbSize];
constinit uint8_t vmpck0_tries = 0;

std::span<const uint8_t, sev::kCpuidPageSize> CpuidPage() {
  // EDGE: a page of the image that the launch filled, and that the host cannot
  // write any more.
  return std::span<const uint8_t, sev::kCpuidPageSize>(
      reinterpret_cast<const uint8_t*>(__snp_cpuid_page), sev::kCpuidPageSize);
}

base::Bytes Text() {
  // EDGE: the image's code, which image.ld delimits and nothing writes.
  return {reinterpret_cast<const uint8_t*>(__text_start),
          AddressOf(__text_end) - AddressOf(__text_start)};
}

// VMPCK0, if nobody has taken it out of the secrets page. Plain stores, which
// may fail and be interrupted like LastActs.
void WipeVmpck0() {
  if (vmpck0_tries == LastActs::kTries) return;
  ++vmpck0_tries;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  using Place = sev::secrets_layout::Vmpck0;
  for (size_t i = 0; i < Place::kSize; ++i) {
    // EDGE: a page of the image; volatile, since nothing reads it again.
    *static_cast<volatile char*>(&__snp_secrets_page[Place::kOffset + i]) = 0;
  }
}

[[noreturn]] void Terminate(base::Reason why) {
  hw::WriteMsr(sev::kGhcbMsr, sev::TerminateRequest(why));
  hw::Vmgexit();
  hw::HaltForever();
}

}  // namespace

SnpPlatform::SnpPlatform()
    : ghcb_(*this, {.base = ghcb_page,
                    .gpa = AddressOf(ghcb_page),
                    .size = sizeof(ghcb_page)}) {
  // boot/snp_entry.S has read and checked the same, in the same page.
  const auto found = sev::FindCpuid(CpuidPage(), sev::kCpuidEncryptedMemory, 0);
  if (!found.has_value()) Stop(Status(Code::kDataLoss, kSnpCpuidPage));
  c_bit_ = found->ebx & sev::kCbitPositionMask;
  if (c_bit_ < FORELOCK_MIN_C_BIT || c_bit_ > FORELOCK_MAX_C_BIT) {
    Stop(Status(Code::kDataLoss, kSnpCbitRange));
  }
}

Status SnpPlatform::Start() {
  sev_status_ = hw::ReadMsr(sev::kSevStatusMsr);
  BASE_TRY(CheckSevStatus(sev_status_));
  BASE_TRY(NegotiateGhcb(*this, c_bit_));
  BASE_TRY(CheckHypervisorFeatures(*this));
  const Range image{AddressOf(__image_start), AddressOf(__image_end)};
  VmgExit& exit = *this;
  PageInstructions& pages = *this;
  PageStates& states = states_.emplace(exit, ghcb_, pages, c_bit_, image);
  BASE_TRY(states.ShareByMsr(AddressOf(ghcb_page)));
  BASE_TRY(RegisterGhcb(*this, AddressOf(ghcb_page)));
  up_ = true;
  return {};
}

// A GHCB whose answer cannot be trusted is not asked again, not even for the
// console: what remains is Stop(). Nor is anybody told by the channel, which
// needs it too; this may be inside an exception.
void SnpPlatform::Break(Status why) {
  broken_ = true;
  FailInException(why);
}

void SnpPlatform::EnableMtrrs() {
  // [amd/vol2] 7.7.2, "MTRRdefType": on, write-back, fixed ranges off.
  constexpr uint32_t kMtrrDefTypeMsr = 0x2FF;
  constexpr uint64_t kOnWriteBack = 0x806;
  const Status status = ghcb_.WriteMsr(kMtrrDefTypeMsr, kOnWriteBack);
  if (!status.ok() && status.reason() != kGhcbException &&
      status.reason() != kGhcbRefused) {
    Break(status);
  }
}

uint8_t SnpPlatform::In8(uint16_t port) {
  // What a port that is not there reads as.
  if (!usable()) return 0xFF;
  const Result<uint32_t> value = ghcb_.In(port, 1);
  if (!value.ok()) Break(value.status());
  return static_cast<uint8_t>(*value);
}

void SnpPlatform::Out(uint16_t port, unsigned size, uint32_t value) {
  if (!usable()) return;
  const Status status = ghcb_.Out(port, size, value);
  if (!status.ok()) Break(status);
}

void SnpPlatform::Out8(uint16_t port, uint8_t value) { Out(port, 1, value); }
void SnpPlatform::Out16(uint16_t port, uint16_t value) { Out(port, 2, value); }
void SnpPlatform::Out32(uint16_t port, uint32_t value) { Out(port, 4, value); }

CpuidRegisters SnpPlatform::Cpuid(uint32_t leaf, uint32_t subleaf) {
  const sev::CpuidValues out =
      sev::FindCpuid(CpuidPage(), leaf, subleaf).value_or(sev::CpuidValues());
  return {out.eax, out.ebx, out.ecx, out.edx};
}

Status SnpPlatform::Share(Range pages) {
  if (!usable()) return Status(Code::kFailedPrecondition, kGhcbBusy);
  return states_->Share(pages);
}
Status SnpPlatform::Unshare(Range pages) {
  if (!usable()) return Status(Code::kFailedPrecondition, kGhcbBusy);
  return states_->Unshare(pages);
}
Status SnpPlatform::Accept(Range pages) {
  if (!usable()) return Status(Code::kFailedPrecondition, kGhcbBusy);
  return states_->Accept(pages);
}

uint32_t SnpPlatform::tsc_kilohertz() {
  if ((sev_status_ & sev::kSevStatusSecureTsc) == 0) return 0;
  constexpr uint64_t kMegahertzMask = 0x3FFFF;
  return static_cast<uint32_t>(hw::ReadMsr(sev::kGuestTscFreqMsr) &
                               kMegahertzMask) *
         1000;
}

GuestRequestExit* SnpPlatform::guest_request_exit() {
  return usable() ? &ghcb_ : nullptr;
}

Status SnpPlatform::Retire() {
  if (!usable()) return {};
  up_ = false;
  // What the host keeps of it once it is private is empty too.
  ghcb_.page().Zero(0, kPageSize);
  return states_->UnshareByMsr(AddressOf(ghcb_page));
}

Status SnpPlatform::HandleVc(ExceptionFrame& frame) {
  return EmulateVc(frame, Text(), AddressOf(__text_start), *this);
}

void SnpPlatform::Stop(Status why) {
  WipeVmpck0();
  Terminate(why.reason());
}

uint64_t SnpPlatform::Msr(uint64_t request) {
  hw::WriteMsr(sev::kGhcbMsr, request);
  hw::Vmgexit();
  return hw::ReadMsr(sev::kGhcbMsr);
}

void SnpPlatform::Page(uint64_t ghcb_gpa) {
  hw::WriteMsr(sev::kGhcbMsr, ghcb_gpa);
  hw::Vmgexit();
}

uint64_t SnpPlatform::Show(uint64_t address) {
  // By the window, wherever the page is: what the identity map does not show
  // (page 0, the guard page, memory above 4 GiB) has no exception here.
  const uint64_t at = address % PageStates::kLarge;
  if (address - at != window_at_) {
    window_at_ = address - at;
    MapWindow(window_at_);
  }
  return kWindow + at;
}

PageInstructions::Pvalidated SnpPlatform::Pvalidate(uint64_t address,
                                                    bool large, bool validate) {
  const hw::PvalidateResult done =
      hw::Pvalidate(Show(address), large, validate);
  return {.code = done.code, .unchanged = done.unchanged};
}

void SnpPlatform::Evict(uint64_t page) {
  // EDGE: the window, which is private also where the identity map still shows
  // the page as shared; volatile, since it is the reading that counts.
  const auto* byte = reinterpret_cast<const volatile uint8_t*>(Show(page));
  static_cast<void>(byte[0]);
  static_cast<void>(byte[kPageSize - 1]);
}

void SnpPlatform::CloseWindow() {
  if (window_at_ == kClosed) return;
  window_at_ = kClosed;
  UnmapWindow();
}

void SnpPlatform::MapShared(uint64_t address) { svsm::MapShared(address); }
void SnpPlatform::MapPrivate(uint64_t address) { svsm::MapPrivate(address); }

void SnpPlatform::Zero(uint64_t address) {
  // EDGE: a page of the image, identity-mapped; the host may see it.
  auto* word = reinterpret_cast<volatile uint64_t*>(address);
  for (size_t i = 0; i < kPageSize / sizeof(*word); ++i) word[i] = 0;
}

Result<uint32_t> SnpPlatform::VcIn(uint16_t port, unsigned size) {
  if (!usable()) return Status(Code::kFailedPrecondition, kVcUnexpected);
  return ghcb_.In(port, size);
}
Status SnpPlatform::VcOut(uint16_t port, unsigned size, uint32_t value) {
  if (!usable()) return Status(Code::kFailedPrecondition, kVcUnexpected);
  return ghcb_.Out(port, size, value);
}
Result<uint64_t> SnpPlatform::VcReadMsr(uint32_t msr) {
  if (!usable()) return Status(Code::kFailedPrecondition, kVcUnexpected);
  return ghcb_.ReadMsr(msr);
}
Status SnpPlatform::VcWriteMsr(uint32_t msr, uint64_t value) {
  if (!usable()) return Status(Code::kFailedPrecondition, kVcUnexpected);
  return ghcb_.WriteMsr(msr, value);
}
CpuidRegisters SnpPlatform::VcCpuid(uint32_t leaf, uint32_t subleaf) {
  return Cpuid(leaf, subleaf);
}

}  // namespace svsm
