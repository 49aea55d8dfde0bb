// SPDX-License-Identifier: Apache-2.0
#include "machine/hypervisor.h"

#include <string.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"

namespace machine {
namespace {

namespace g = sev::ghcb_layout;

// Nothing to do here for WBINVD, INVD and a write of DR7. APM volume 2,
// appendix C.
constexpr uint64_t kExitWriteDr7 = 0x37, kExitInvd = 0x76, kExitWbinvd = 0x89;

constexpr uint64_t kGfnMask = ~(kPageSize - 1);
// "No preferred address": 56421, 2.3.1.
constexpr uint64_t kNoPreferredGhcb = kGfnMask;

Ending Terminated(uint8_t set, uint8_t code) {
  return {.kind = Ending::Kind::kTerminated,
          .reason_set = set,
          .reason_code = code,
          .text = absl::StrFormat("termination 0x%x:0x%x", set, code)};
}

unsigned IoSize(uint64_t info1) {
  if (info1 & sev::kIoioSize8) return 1;
  if (info1 & sev::kIoioSize16) return 2;
  return (info1 & sev::kIoioSize32) ? 4 : 0;
}
uint64_t IoMask(unsigned size) {
  return size == 4 ? 0xFFFFFFFF : (uint64_t{1} << (8 * size)) - 1;
}

Cause MsrCause(uint64_t info) {
  switch (info) {
    case sev::kMsrSevInfoRequest:
      return Cause::kSevInfo;
    case sev::kMsrCpuidRequest:
      return Cause::kCpuid;
    case sev::kMsrPreferredGhcbRequest:
      return Cause::kPreferredGhcb;
    case sev::kMsrRegisterGhcbRequest:
      return Cause::kGhcbRegistration;
    case sev::kMsrPageStateRequest:
      return Cause::kPageState;
    case sev::kMsrFeaturesRequest:
      return Cause::kFeatures;
    case sev::kMsrTerminate:
      return Cause::kTermination;
    default:
      return Cause::kUnknown;
  }
}

// Of a GHCB page; without the ports.
Cause PageCause(uint64_t code) {
  switch (code) {
    case sev::kExitCpuid:
      return Cause::kCpuid;
    case sev::kExitMsr:
      return Cause::kMsr;
    case sev::kExitMmioRead:
    case sev::kExitMmioWrite:
      return Cause::kMmio;
    case sev::kExitPageStateChange:
      return Cause::kPageState;
    case sev::kExitGuestRequest:
      return Cause::kGuestRequest;
    case sev::kExitExtendedGuestRequest:
      return Cause::kExtendedRequest;
    case sev::kExitApCreation:
      return Cause::kApCreation;
    case sev::kExitFeatures:
      return Cause::kFeatures;
    case sev::kExitTerminate:
      return Cause::kTermination;
    case sev::kExitUnsupportedEvent:
      return Cause::kUnsupportedEvent;
    case kExitWriteDr7:
    case kExitInvd:
    case kExitWbinvd:
      return Cause::kInstruction;
    default:
      return Cause::kUnknown;
  }
}

void ReadFields(const GhcbPage& ghcb, Exit& exit) {
  exit.code = ghcb.GetIfValid<g::SwExitCode>();
  exit.info1 = ghcb.GetIfValid<g::SwExitInfo1>();
  exit.info2 = ghcb.GetIfValid<g::SwExitInfo2>();
  exit.scratch = ghcb.GetIfValid<g::SwScratch>();
  exit.rax = ghcb.GetIfValid<g::Rax>();
  exit.rbx = ghcb.GetIfValid<g::Rbx>();
  exit.rcx = ghcb.GetIfValid<g::Rcx>();
  exit.rdx = ghcb.GetIfValid<g::Rdx>();
}

}  // namespace

Hypervisor::Hypervisor(HypervisorOptions options, HostView& memory,
                       PortBus& ports, psp::Firmware& firmware)
    : options_(std::move(options)),
      memory_(memory),
      ports_(ports),
      firmware_(firmware) {}

std::optional<Ending> Hypervisor::Identify(Exit& exit) {
  exit.by_page = exit.msr % kPageSize == 0;
  if (!exit.by_page) {
    exit.cause = MsrCause(exit.msr & sev::kGhcbInfoMask);
    exit.detail = absl::StrFormat("msr %#x", exit.msr);
    return {};
  }
  const base::MutableBytes page = memory_.Shared(exit.msr, kPageSize);
  if (page.empty()) {
    return Ending::Violation(absl::StrFormat(
        "VMGEXIT with a GHCB page at %#x that is not shared", exit.msr));
  }
  if (exit.msr != registered_ghcb_) {
    return Ending::Violation(absl::StrFormat(
        "VMGEXIT with a GHCB page at %#x that is not registered", exit.msr));
  }
  ReadFields(GhcbPage(page.first<kPageSize>()), exit);
  if (exit.code == sev::kExitIoio) {
    IdentifyIoio(exit);
    return {};
  }
  exit.cause = PageCause(exit.code);
  exit.detail = absl::StrFormat("code %#x info %#x %#x", exit.code, exit.info1,
                                exit.info2);
  return {};
}

void Hypervisor::IdentifyIoio(Exit& exit) {
  const auto port = static_cast<uint16_t>(exit.info1 >> sev::kIoioPortShift);
  const bool in = (exit.info1 & sev::kIoioIn) != 0;
  const unsigned size = IoSize(exit.info1);
  const uint64_t value = exit.rax & IoMask(size);
  exit.cause = ports_.CauseOf(port, !in, static_cast<uint32_t>(value));
  if ((exit.info1 & sev::kIoioString) != 0) {
    exit.detail = absl::StrFormat("%s%d %#x, %d times", in ? "ins" : "outs",
                                  8 * size, port, exit.info2);
    return;
  }
  exit.detail = in ? absl::StrFormat("in%d %#x", 8 * size, port)
                   : absl::StrFormat("out%d %#x, %#x", 8 * size, port, value);
}

std::optional<Ending> Hypervisor::Serve(Exit& exit) {
  return exit.by_page ? ServePage(exit) : ServeMsr(exit);
}

// --- The MSR protocol. 56421, 2.3.1.

std::optional<Ending> Hypervisor::ServeMsr(Exit& exit) {
  switch (exit.msr & sev::kGhcbInfoMask) {
    case sev::kMsrSevInfoRequest:
      exit.msr = sev::kMsrSevInfoResponse |
                 uint64_t{options_.max_version} << sev::kSevInfoMaxShift |
                 uint64_t{options_.min_version} << sev::kSevInfoMinShift |
                 uint64_t{options_.cbit_position} << sev::kSevInfoCbitShift;
      break;
    case sev::kMsrCpuidRequest: {
      const auto leaf =
          static_cast<uint32_t>(exit.msr >> sev::kMsrCpuidValueShift);
      const unsigned which = exit.msr >> sev::kMsrCpuidRegisterShift & 3;
      const sev::CpuidValues values = LookUp(options_.cpuid, leaf, 0);
      const uint32_t answers[] = {values.eax, values.ebx, values.ecx,
                                  values.edx};
      exit.msr = sev::kMsrCpuidResponse |
                 uint64_t{which} << sev::kMsrCpuidRegisterShift |
                 uint64_t{answers[which]} << sev::kMsrCpuidValueShift;
      break;
    }
    case sev::kMsrPreferredGhcbRequest:
      exit.msr = sev::kMsrPreferredGhcbResponse | kNoPreferredGhcb;
      break;
    case sev::kMsrRegisterGhcbRequest:
      registered_ghcb_ = exit.msr & kGfnMask;
      exit.msr = sev::kMsrRegisterGhcbResponse | registered_ghcb_;
      break;
    case sev::kMsrPageStateRequest:
      exit.msr = ChangePageStateByMsr(exit.msr, memory_);
      break;
    case sev::kMsrFeaturesRequest:
      exit.msr = sev::kMsrFeaturesResponse | options_.features
                                                 << sev::kMsrFeaturesShift;
      break;
    case sev::kMsrTerminate:
      return Terminated(exit.msr >> sev::kMsrTerminateSetShift & 0xF,
                        exit.msr >> sev::kMsrTerminateCodeShift & 0xFF);
    default:
      // KVM leaves the MSR as it is.
      break;
  }
  absl::StrAppendFormat(&exit.detail, " -> %#x", exit.msr);
  return {};
}

// --- The GHCB page.

std::optional<Ending> Hypervisor::ServePage(Exit& exit) {
  // A hook may have taken the page away.
  const base::MutableBytes page = memory_.Shared(exit.msr, kPageSize);
  if (page.empty()) return Ending::Violation("the GHCB page is gone");
  GhcbPage ghcb(page.first<kPageSize>());
  // Its version too is the guest's word, and KVM never looks at it: firmware
  // and kernels leave 0 there.
  rax_ = exit.rax;
  rbx_ = exit.rbx;
  rcx_ = exit.rcx;
  rdx_ = exit.rdx;
  has_certificate_buffer_ = ghcb.Valid<g::Rax>() && ghcb.Valid<g::Rbx>();
  const bool good = Validate(exit, ghcb);
  ghcb.ClearBitmap();
  if (good) {
    ghcb.Set<g::SwExitInfo1>(sev::kExitResultOk);
    ghcb.Set<g::SwExitInfo2>(0);
    if (std::optional<Ending> ending = Dispatch(exit, ghcb)) return ending;
  }
  ghcb.Set<g::Rax>(rax_);
  ghcb.Set<g::Rbx>(rbx_);
  ghcb.Set<g::Rcx>(rcx_);
  ghcb.Set<g::Rdx>(rdx_);
  absl::StrAppendFormat(&exit.detail, " -> %#x %#x", ghcb.Get<g::SwExitInfo1>(),
                        ghcb.Get<g::SwExitInfo2>());
  return {};
}

// As KVM's sev_es_validate_vmgexit().
bool Hypervisor::Validate(const Exit& exit, GhcbPage& ghcb) const {
  if (ghcb.usage() != sev::kGhcbUsageStandard) {
    ghcb.Refuse(sev::kMalformedUsage);
    return false;
  }
  bool good = ghcb.Valid<g::SwExitCode>() && ghcb.Valid<g::SwExitInfo1>() &&
              ghcb.Valid<g::SwExitInfo2>();
  switch (exit.code) {
    case sev::kExitCpuid:
      good &= ghcb.Valid<g::Rax>() && ghcb.Valid<g::Rcx>();
      good &= exit.rax != 0x0D || ghcb.Valid<g::Xcr0>();
      break;
    case sev::kExitIoio:
      if (exit.info1 & sev::kIoioString) {
        good &= ghcb.Valid<g::SwScratch>();
      } else if ((exit.info1 & sev::kIoioIn) == 0) {
        good &= ghcb.Valid<g::Rax>();
      }
      break;
    case sev::kExitMsr:
      good &= ghcb.Valid<g::Rcx>();
      good &= exit.info1 == 0 || (ghcb.Valid<g::Rax>() && ghcb.Valid<g::Rdx>());
      break;
    case sev::kExitMmioRead:
    case sev::kExitMmioWrite:
    case sev::kExitPageStateChange:
      good &= ghcb.Valid<g::SwScratch>();
      break;
    case sev::kExitGuestRequest:
    case sev::kExitExtendedGuestRequest:
      good &= exit.info1 % kPageSize == 0 && exit.info2 % kPageSize == 0 &&
              exit.info1 != exit.info2;
      break;
    case sev::kExitApCreation:
      good &= static_cast<uint32_t>(exit.info1) == sev::kApDestroy ||
              ghcb.Valid<g::Rax>();
      break;
    case kExitWriteDr7:
      good &= ghcb.Valid<g::Rax>();
      break;
    case kExitInvd:
    case kExitWbinvd:
    case sev::kExitFeatures:
    case sev::kExitTerminate:
    case sev::kExitUnsupportedEvent:
      break;
    default:
      if (good) {
        ghcb.Refuse(sev::kMalformedInvalidEvent);
        return false;
      }
  }
  if (!good) ghcb.Refuse(sev::kMalformedMissingInput);
  return good;
}

std::optional<Ending> Hypervisor::Dispatch(Exit& exit, GhcbPage& ghcb) {
  switch (exit.code) {
    case sev::kExitCpuid:
      Cpuid(exit, ghcb);
      return {};
    case sev::kExitIoio:
      Ioio(exit, ghcb);
      return {};
    case sev::kExitMsr:
      Msr(exit, ghcb);
      return {};
    case sev::kExitMmioRead:
    case sev::kExitMmioWrite:
      Mmio(exit, ghcb);
      return {};
    case sev::kExitPageStateChange:
      PageStateChange(exit, ghcb);
      return {};
    case sev::kExitGuestRequest:
      return GuestRequest(exit, ghcb);
    case sev::kExitExtendedGuestRequest:
      return ExtendedGuestRequest(exit, ghcb);
    case sev::kExitApCreation:
      return ApCreation(exit, ghcb);
    case sev::kExitFeatures:
      ghcb.Set<g::SwExitInfo2>(options_.features);
      return {};
    case sev::kExitTerminate:
      return Terminated(exit.info1 & 0xF, exit.info1 >> 4 & 0xFF);
    case sev::kExitUnsupportedEvent:
      return Ending::Violation(absl::StrFormat(
          "the guest met an event that it does not support: #VC %#x",
          exit.info1));
    default:
      return {};
  }
}

// As KVM's sev_snp_ap_creation(), where there is one CPU, of APIC ID 0: no
// honest guest gives its only CPU another VMSA.
std::optional<Ending> Hypervisor::ApCreation(const Exit& exit, GhcbPage& ghcb) {
  const auto request = static_cast<uint32_t>(exit.info1);
  if (exit.info1 >> 32 != 0 || request > sev::kApDestroy) {
    ghcb.Refuse(sev::kMalformedInvalidInput);
    return {};
  }
  return Ending::Violation(
      absl::StrFormat("AP creation request %d for the only CPU", request));
}

void Hypervisor::Ioio(Exit& exit, GhcbPage& ghcb) {
  const unsigned size = IoSize(exit.info1);
  if (size == 0) {
    ghcb.Refuse(sev::kMalformedInvalidInput);
    return;
  }
  const auto port = static_cast<uint16_t>(exit.info1 >> sev::kIoioPortShift);
  if ((exit.info1 & sev::kIoioString) != 0) {
    StringIo(exit, port, size, ghcb);
    return;
  }
  const uint64_t mask = IoMask(size);
  if (exit.info1 & sev::kIoioIn) {
    const uint64_t value = ports_.Read(port, size) & mask;
    // KVM keeps the rest of a partial register, as the guest gave it.
    rax_ = size == 4 ? value : (rax_ & ~mask) | value;
    absl::StrAppendFormat(&exit.detail, " = %#x", value);
  } else {
    ports_.Write(port, size, static_cast<uint32_t>(exit.rax & mask));
  }
}

// INS and OUTS, REP too: SW_EXITINFO2 counts the elements, which lie in the
// scratch area. As KVM's sev_es_string_io().
void Hypervisor::StringIo(Exit& exit, uint16_t port, unsigned size,
                          GhcbPage& ghcb) {
  if (exit.info2 == 0) return;
  if (exit.info2 > sev::kGhcbSize / size) {
    ghcb.Refuse(sev::kMalformedScratchArea);
    return;
  }
  base::MutableBytes data = Scratch(exit, exit.info2 * size, ghcb);
  for (; !data.empty(); data = data.subspan(size)) {
    uint32_t value = 0;
    if ((exit.info1 & sev::kIoioIn) != 0) {
      value = ports_.Read(port, size);
      memcpy(data.data(), &value, size);
    } else {
      memcpy(&value, data.data(), size);
      ports_.Write(port, size, value);
    }
  }
}

void Hypervisor::Cpuid(Exit& exit, GhcbPage&) {
  const sev::CpuidValues values =
      LookUp(options_.cpuid, static_cast<uint32_t>(exit.rax),
             static_cast<uint32_t>(exit.rcx));
  rax_ = values.eax;
  rbx_ = values.ebx;
  rcx_ = values.ecx;
  rdx_ = values.edx;
  absl::StrAppendFormat(&exit.detail, " leaf %#x.%#x", exit.rax, exit.rcx);
}

}  // namespace machine
