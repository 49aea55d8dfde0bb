// SPDX-License-Identifier: Apache-2.0
//
// How an SNP guest talks to its hypervisor: the GHCB MSR protocol, the GHCB
// page, and the structures of the requests that this project makes.
//
// Spec: AMD 56421 (GHCB) rev. 2.03; exit codes AMD 24593 (APM volume 2),
// appendix C. Layouts and constants only. Everything the hypervisor writes
// here is hostile.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sev/wire_field.h"

namespace sev {

// --- MSRs. APM volume 2, 15.34.10, 15.35.6 ("GHCB"), 15.36.18 (secure TSC).
inline constexpr uint32_t kGhcbMsr = 0xC0010130;
inline constexpr uint32_t kSevStatusMsr = 0xC0010131;
inline constexpr uint32_t kGuestTscFreqMsr = 0xC0010134;  // MHz, bits 17:0

// SEV_STATUS. APM volume 2, 15.34.10, "SEV_STATUS MSR".
inline constexpr uint64_t kSevStatusSev = uint64_t{1} << 0;
inline constexpr uint64_t kSevStatusEs = uint64_t{1} << 1;
inline constexpr uint64_t kSevStatusSnp = uint64_t{1} << 2;
inline constexpr uint64_t kSevStatusVtom = uint64_t{1} << 3;
inline constexpr uint64_t kSevStatusReflectVc = uint64_t{1} << 4;
inline constexpr uint64_t kSevStatusRestrictedInjection = uint64_t{1} << 5;
inline constexpr uint64_t kSevStatusAlternateInjection = uint64_t{1} << 6;
inline constexpr uint64_t kSevStatusDebugSwap = uint64_t{1} << 7;
inline constexpr uint64_t kSevStatusPreventHostIbs = uint64_t{1} << 8;
inline constexpr uint64_t kSevStatusBtbIsolation = uint64_t{1} << 9;
inline constexpr uint64_t kSevStatusVmplSss = uint64_t{1} << 10;
inline constexpr uint64_t kSevStatusSecureTsc = uint64_t{1} << 11;
inline constexpr uint64_t kSevStatusVmgexitParameter = uint64_t{1} << 12;
inline constexpr uint64_t kSevStatusIbsVirtualization = uint64_t{1} << 14;
inline constexpr uint64_t kSevStatusVmsaRegisterProtection = uint64_t{1} << 16;
inline constexpr uint64_t kSevStatusSmtProtection = uint64_t{1} << 17;

// --- The GHCB MSR protocol. 56421, section 2.3.1. Bits 11:0 are GHCBInfo.
inline constexpr uint64_t kGhcbInfoMask = 0xFFF;
inline constexpr uint64_t kMsrSevInfoResponse = 0x001;
inline constexpr uint64_t kMsrSevInfoRequest = 0x002;
inline constexpr uint64_t kMsrCpuidRequest = 0x004;
inline constexpr uint64_t kMsrCpuidResponse = 0x005;
inline constexpr uint64_t kMsrPreferredGhcbRequest = 0x010;
inline constexpr uint64_t kMsrPreferredGhcbResponse = 0x011;
inline constexpr uint64_t kMsrRegisterGhcbRequest = 0x012;
inline constexpr uint64_t kMsrRegisterGhcbResponse = 0x013;
inline constexpr uint64_t kMsrPageStateRequest = 0x014;
inline constexpr uint64_t kMsrPageStateResponse = 0x015;
inline constexpr uint64_t kMsrFeaturesRequest = 0x080;
inline constexpr uint64_t kMsrFeaturesResponse = 0x081;
inline constexpr uint64_t kMsrTerminate = 0x100;

// 2.3.1.1: bits 63:48 maximum version, 47:32 minimum, 31:24 C-bit position.
inline constexpr int kSevInfoMaxShift = 48;
inline constexpr int kSevInfoMinShift = 32;
inline constexpr int kSevInfoCbitShift = 24;
inline constexpr uint16_t kGhcbVersion = 2;

// CPUID by MSR: bits 63:32 the function (or the answer), 31:30 the register.
inline constexpr int kMsrCpuidValueShift = 32;
inline constexpr int kMsrCpuidRegisterShift = 30;

// Page state change by MSR, one 4 KiB page: bits 55:52 operation, 51:12 GFN.
// The answer's bits 63:32 are 0 for success.
enum class PageOperation : uint8_t {
  kPrivate = 1,
  kShared = 2,
  kPsmash = 3,
  kUnsmash = 4,
};
inline constexpr int kMsrPageStateOperationShift = 52;
inline constexpr uint64_t kMsrPageStateGfnMask = 0x000FFFFFFFFFF000;
inline constexpr int kMsrPageStateErrorShift = 32;

// Hypervisor features (bits 63:12 of the answer, here shifted down).
inline constexpr uint64_t kFeatureSnp = uint64_t{1} << 0;
inline constexpr uint64_t kFeatureApCreation = uint64_t{1} << 1;
inline constexpr int kMsrFeaturesShift = 12;

// Termination (sev/termination.h): bits 15:12 the reason code set, 23:16 the
// reason code.
inline constexpr int kMsrTerminateSetShift = 12;
inline constexpr int kMsrTerminateCodeShift = 16;
inline constexpr uint8_t kTerminateSetGeneral = 0;
inline constexpr uint8_t kTerminateGeneral = 0;
inline constexpr uint8_t kTerminateProtocol = 1;
inline constexpr uint8_t kTerminateFeatures = 2;

// --- The GHCB page. 56421, section 3, table "GHCB Layout".
namespace ghcb_layout {
using Reserved000 = WireField<0x000, 0x0CB>;
using Cpl = WireField<0x0CB, 1>;
using Reserved0CC = WireField<0x0CC, 0x74>;
using Xss = WireField<0x140, 8>;
using Reserved148 = WireField<0x148, 0x18>;
using Dr7 = WireField<0x160, 8>;
using Reserved168 = WireField<0x168, 0x10>;
using Rip = WireField<0x178, 8>;
using Reserved180 = WireField<0x180, 0x58>;
using Rsp = WireField<0x1D8, 8>;
using Reserved1E0 = WireField<0x1E0, 0x18>;
using Rax = WireField<0x1F8, 8>;
using Reserved200 = WireField<0x200, 0x108>;
using Rcx = WireField<0x308, 8>;
using Rdx = WireField<0x310, 8>;
using Rbx = WireField<0x318, 8>;
using Reserved320 = WireField<0x320, 0x70>;
using SwExitCode = WireField<0x390, 8>;
using SwExitInfo1 = WireField<0x398, 8>;
using SwExitInfo2 = WireField<0x3A0, 8>;
using SwScratch = WireField<0x3A8, 8>;
using Reserved3B0 = WireField<0x3B0, 0x38>;
using Xcr0 = WireField<0x3E8, 8>;
// One bit for each quadword of the save area, bit 0 of byte 0 for offset 0.
using ValidBitmap = WireField<0x3F0, 16>;
using X87StateGpa = WireField<0x400, 8>;
using Reserved408 = WireField<0x408, 0x3F8>;
using SharedBuffer = WireField<0x800, 2032>;
using ReservedFF0 = WireField<0xFF0, 10>;
using ProtocolVersion = WireField<0xFFA, 2>;
using Usage = WireField<0xFFC, 4>;
static_assert(
    Tile<Reserved000, Cpl, Reserved0CC, Xss, Reserved148, Dr7, Reserved168, Rip,
         Reserved180, Rsp, Reserved1E0, Rax, Reserved200, Rcx, Rdx, Rbx,
         Reserved320, SwExitCode, SwExitInfo1, SwExitInfo2, SwScratch,
         Reserved3B0, Xcr0, ValidBitmap, X87StateGpa, Reserved408, SharedBuffer,
         ReservedFF0, ProtocolVersion, Usage>(0x1000));
}  // namespace ghcb_layout

inline constexpr size_t kGhcbSize = 4096;
inline constexpr uint32_t kGhcbUsageStandard = 0;
// The bit of a field in ValidBitmap.
template <typename F>
inline constexpr size_t kValidBit = F::kOffset / 8;

// SW_EXITCODE. 56421, section 4; the first three are #VC error codes too.
inline constexpr uint64_t kExitCpuid = 0x72;
inline constexpr uint64_t kExitIoio = 0x7B;
inline constexpr uint64_t kExitMsr = 0x7C;  // SW_EXITINFO1: 0 read, 1 write
inline constexpr uint64_t kExitPageNotValidated = 0x404;  // #VC only
// SW_EXITINFO1: the address, 2: bytes. 56421, 4.1, "MMIO Read", "MMIO Write".
inline constexpr uint64_t kExitMmioRead = 0x80000001;
inline constexpr uint64_t kExitMmioWrite = 0x80000002;
inline constexpr uint64_t kExitPageStateChange = 0x80000010;
inline constexpr uint64_t kExitGuestRequest = 0x80000011;
inline constexpr uint64_t kExitExtendedGuestRequest = 0x80000012;
// SW_EXITINFO1[31:0]: the request; [63:32]: the APIC ID. 56421, 4.1.9.
inline constexpr uint64_t kExitApCreation = 0x80000013;
inline constexpr uint32_t kApDestroy =
    2;  // The others give the VMSA's address.
inline constexpr uint64_t kExitFeatures = 0x8000FFFD;
inline constexpr uint64_t kExitTerminate = 0x8000FFFE;
inline constexpr uint64_t kExitUnsupportedEvent = 0x8000FFFF;

// SW_EXITINFO1 of kExitIoio: APM volume 2, 15.10.2, "EXITINFO1 for IOIO".
inline constexpr uint64_t kIoioIn = uint64_t{1} << 0;
inline constexpr uint64_t kIoioString = uint64_t{1} << 2;
inline constexpr uint64_t kIoioRep = uint64_t{1} << 3;
inline constexpr uint64_t kIoioSize8 = uint64_t{1} << 4;
inline constexpr uint64_t kIoioSize16 = uint64_t{1} << 5;
inline constexpr uint64_t kIoioSize32 = uint64_t{1} << 6;
inline constexpr uint64_t kIoioAddress64 = uint64_t{1} << 9;
inline constexpr int kIoioPortShift = 16;

// SW_EXITINFO1[31:0] on return. 56421, section 4.1, "Invoking VMGEXIT".
inline constexpr uint32_t kExitResultOk = 0;
inline constexpr uint32_t kExitResultException =
    1;  // EXITINFO2: event to raise
inline constexpr uint32_t kExitResultMalformed = 2;  // EXITINFO2: see below

// SW_EXITINFO2 of kExitResultMalformed. 56421, section 4.1, "Invoking VMGEXIT".
inline constexpr uint64_t kMalformedNotRegistered = 1;
inline constexpr uint64_t kMalformedUsage = 2;
inline constexpr uint64_t kMalformedScratchArea = 3;
inline constexpr uint64_t kMalformedMissingInput = 4;
inline constexpr uint64_t kMalformedInvalidInput = 5;
inline constexpr uint64_t kMalformedInvalidEvent = 6;

// SW_EXITINFO2[63:32] of guest requests; [31:0] is the firmware's status, 0 for
// success. 56421, 4.1.7 and 4.1.8.
inline constexpr uint32_t kGuestRequestInvalidLength = 1;  // RBX: pages needed
inline constexpr uint32_t kGuestRequestBusy = 2;

// --- Page state change by page. 56421, 4.1.6. The structure lies in the shared
// buffer; SW_SCRATCH points to it.
namespace psc_layout {
using CurrentEntry = WireField<0, 2>;
using EndEntry = WireField<2, 2>;
using Reserved = WireField<4, 4>;
static_assert(Tile<CurrentEntry, EndEntry, Reserved>(8));
}  // namespace psc_layout
inline constexpr size_t kPscHeaderSize = 8;
inline constexpr size_t kPscEntrySize = 8;
inline constexpr size_t kPscMaxEntries = 253;
static_assert(kPscHeaderSize + kPscMaxEntries * kPscEntrySize ==
              ghcb_layout::SharedBuffer::kSize);
// Of an entry: bits 11:0 current page, 51:12 GFN, 55:52 operation, 56 size.
inline constexpr uint64_t kPscCurrentPageMask = 0xFFF;
inline constexpr uint64_t kPscGfnMask = 0x000FFFFFFFFFF000;
inline constexpr int kPscOperationShift = 52;
inline constexpr uint64_t kPscLargePage = uint64_t{1} << 56;

// SW_EXITINFO2 of kExitPageStateChange: not 0 when the hypervisor stopped.
inline constexpr uint64_t kPscInvalidHeader = uint64_t{1} << 32 | 1;
inline constexpr uint64_t kPscInvalidEntry = uint64_t{1} << 32 | 2;
inline constexpr uint64_t kPscErrorGeneric = uint64_t{0x100} << 32;

constexpr uint64_t MakePscEntry(uint64_t gpa, PageOperation operation,
                                bool large) {
  return (gpa & kPscGfnMask) |
         static_cast<uint64_t>(operation) << kPscOperationShift |
         (large ? kPscLargePage : 0);
}

// --- PVALIDATE and RMPADJUST. APM volume 3.
inline constexpr uint32_t kRmpSuccess = 0;
inline constexpr uint32_t kRmpFailInput = 1;
inline constexpr uint32_t kRmpFailPermission = 2;
inline constexpr uint32_t kRmpFailSizeMismatch = 6;
inline constexpr uint64_t kRmpAdjustVmsa = uint64_t{1} << 16;
// VMPL permission masks. APM volume 2, 15.36.7.
inline constexpr uint8_t kVmplRead = 1 << 0;
inline constexpr uint8_t kVmplWrite = 1 << 1;
inline constexpr uint8_t kVmplUserExecute = 1 << 2;
inline constexpr uint8_t kVmplSupervisorExecute = 1 << 3;

}  // namespace sev
