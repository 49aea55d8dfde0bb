// SPDX-License-Identifier: Apache-2.0
//
// GHCB, VMSA, CPUID page and their constants against readings that are not
// ours: the system's own <asm/svm.h> and <linux/sev-guest.h>, and the members
// in order (save_area_for_tests.h). What no system header has is pinned.
#include <asm/svm.h>
#include <linux/sev-guest.h>
#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "sev/cpuid_page.h"
#include "sev/ghcb.h"
#include "sev/guest_message.h"
#include "sev/save_area_for_tests.h"
#include "sev/vmsa.h"
#include "sev/wire_field.h"

// SVM_VMGEXIT_TERM_REASON() names the kernel's type.
using u64 = uint64_t;

namespace sev {
namespace {

TEST(Ghcb, ExitCodesAreTheSystems) {
  EXPECT_EQ(kExitCpuid, SVM_EXIT_CPUID);
  EXPECT_EQ(kExitIoio, SVM_EXIT_IOIO);
  EXPECT_EQ(kExitMsr, SVM_EXIT_MSR);
  // The last one that the system knows is VMGEXIT's own; the next is ours.
  EXPECT_EQ(kExitPageNotValidated, SVM_EXIT_VMGEXIT + 1);
  EXPECT_EQ(kExitPageStateChange, SVM_VMGEXIT_PSC);
  EXPECT_EQ(kExitGuestRequest, SVM_VMGEXIT_GUEST_REQUEST);
  EXPECT_EQ(kExitExtendedGuestRequest, SVM_VMGEXIT_EXT_GUEST_REQUEST);
  EXPECT_EQ(kExitApCreation, SVM_VMGEXIT_AP_CREATION);
  EXPECT_EQ(kExitFeatures, SVM_VMGEXIT_HV_FEATURES);
  EXPECT_EQ(kExitTerminate, SVM_VMGEXIT_TERM_REQUEST);
  EXPECT_EQ(kExitUnsupportedEvent, SVM_VMGEXIT_UNSUPPORTED_EVENT);
}

#ifdef SNP_GUEST_VMM_ERR_BUSY  // linux-libc-dev 6.1 of a later update, and
                               // newer
TEST(Ghcb, GuestRequestErrorsAreTheSystems) {
  EXPECT_EQ(kGuestRequestInvalidLength, SNP_GUEST_VMM_ERR_INVALID_LEN);
  EXPECT_EQ(kGuestRequestBusy, SNP_GUEST_VMM_ERR_BUSY);
  EXPECT_EQ(SNP_GUEST_VMM_ERR(kGuestRequestBusy), uint64_t{2} << 32);
}
#endif

TEST(GuestMessage, PayloadsAreTheSystems) {
  EXPECT_EQ(sizeof(snp_report_req), kReportRequestSize);
  EXPECT_EQ(sizeof(snp_derived_key_req), kKeyRequestSize);
}

// #define, because offsetof() wants the member's name.
#define EXPECT_AT(layout, field, type, member)                          \
  EXPECT_EQ(layout::field::kOffset, offsetof(for_tests::type, member)); \
  EXPECT_EQ(layout::field::kSize, sizeof(for_tests::type::member))

TEST(Ghcb, MembersInOrderGiveTheSameOffsets) {
  EXPECT_AT(ghcb_layout, Cpl, Ghcb, cpl);
  EXPECT_AT(ghcb_layout, Xss, Ghcb, xss);
  EXPECT_AT(ghcb_layout, Dr7, Ghcb, dr7);
  EXPECT_AT(ghcb_layout, Rip, Ghcb, rip);
  EXPECT_AT(ghcb_layout, Rsp, Ghcb, rsp);
  EXPECT_AT(ghcb_layout, Rax, Ghcb, rax);
  EXPECT_AT(ghcb_layout, Rcx, Ghcb, rcx);
  EXPECT_AT(ghcb_layout, Rdx, Ghcb, rdx);
  EXPECT_AT(ghcb_layout, Rbx, Ghcb, rbx);
  EXPECT_AT(ghcb_layout, SwExitCode, Ghcb, sw_exit_code);
  EXPECT_AT(ghcb_layout, SwExitInfo1, Ghcb, sw_exit_info_1);
  EXPECT_AT(ghcb_layout, SwExitInfo2, Ghcb, sw_exit_info_2);
  EXPECT_AT(ghcb_layout, SwScratch, Ghcb, sw_scratch);
  EXPECT_AT(ghcb_layout, Xcr0, Ghcb, xcr0);
  EXPECT_AT(ghcb_layout, ValidBitmap, Ghcb, valid_bitmap);
  EXPECT_AT(ghcb_layout, X87StateGpa, Ghcb, x87_state_gpa);
  EXPECT_AT(ghcb_layout, SharedBuffer, Ghcb, shared_buffer);
  EXPECT_AT(ghcb_layout, ProtocolVersion, Ghcb, protocol_version);
  EXPECT_AT(ghcb_layout, Usage, Ghcb, usage);
}

// The GHCB's registers lie where the VMSA has them.
TEST(Ghcb, RegistersLieAsInTheVmsa) {
  EXPECT_AT(ghcb_layout, Rax, Vmsa, rax);
  EXPECT_AT(ghcb_layout, Rbx, Vmsa, rbx);
  EXPECT_AT(ghcb_layout, Rcx, Vmsa, rcx);
  EXPECT_AT(ghcb_layout, Rdx, Vmsa, rdx);
  EXPECT_AT(ghcb_layout, Xcr0, Vmsa, xcr0);
}

TEST(Ghcb, ValidBitsAreQuadwords) {
  EXPECT_EQ(kValidBit<ghcb_layout::Rax>, 63u);
  EXPECT_EQ(kValidBit<ghcb_layout::Rcx>, 97u);
  EXPECT_EQ(kValidBit<ghcb_layout::SwExitCode>, 114u);
  EXPECT_EQ(kValidBit<ghcb_layout::SwScratch>, 117u);
  EXPECT_EQ(kValidBit<ghcb_layout::Xcr0>, 125u);
}

TEST(Vmsa, MembersInOrderGiveTheSameOffsets) {
  EXPECT_AT(vmsa_segment_layout, Selector, Segment, selector);
  EXPECT_AT(vmsa_segment_layout, Attributes, Segment, attributes);
  EXPECT_AT(vmsa_segment_layout, Limit, Segment, limit);
  EXPECT_AT(vmsa_segment_layout, Base, Segment, base);
  EXPECT_AT(vmsa_layout, Es, Vmsa, es);
  EXPECT_AT(vmsa_layout, Cs, Vmsa, cs);
  EXPECT_AT(vmsa_layout, Ss, Vmsa, ss);
  EXPECT_AT(vmsa_layout, Ds, Vmsa, ds);
  EXPECT_AT(vmsa_layout, Fs, Vmsa, fs);
  EXPECT_AT(vmsa_layout, Gs, Vmsa, gs);
  EXPECT_AT(vmsa_layout, Gdtr, Vmsa, gdtr);
  EXPECT_AT(vmsa_layout, Ldtr, Vmsa, ldtr);
  EXPECT_AT(vmsa_layout, Idtr, Vmsa, idtr);
  EXPECT_AT(vmsa_layout, Tr, Vmsa, tr);
  EXPECT_AT(vmsa_layout, Vmpl, Vmsa, vmpl);
  EXPECT_AT(vmsa_layout, Cpl, Vmsa, cpl);
  EXPECT_AT(vmsa_layout, Efer, Vmsa, efer);
  EXPECT_AT(vmsa_layout, Xss, Vmsa, xss);
  EXPECT_AT(vmsa_layout, Cr4, Vmsa, cr4);
  EXPECT_AT(vmsa_layout, Cr3, Vmsa, cr3);
  EXPECT_AT(vmsa_layout, Cr0, Vmsa, cr0);
  EXPECT_AT(vmsa_layout, Dr7, Vmsa, dr7);
  EXPECT_AT(vmsa_layout, Dr6, Vmsa, dr6);
  EXPECT_AT(vmsa_layout, Rflags, Vmsa, rflags);
  EXPECT_AT(vmsa_layout, Rip, Vmsa, rip);
  EXPECT_AT(vmsa_layout, Rsp, Vmsa, rsp);
  EXPECT_AT(vmsa_layout, Rax, Vmsa, rax);
  EXPECT_AT(vmsa_layout, GuestPat, Vmsa, g_pat);
  EXPECT_AT(vmsa_layout, Rcx, Vmsa, rcx);
  EXPECT_AT(vmsa_layout, Rdx, Vmsa, rdx);
  EXPECT_AT(vmsa_layout, Rbx, Vmsa, rbx);
  EXPECT_AT(vmsa_layout, Rbp, Vmsa, rbp);
  EXPECT_AT(vmsa_layout, Rsi, Vmsa, rsi);
  EXPECT_AT(vmsa_layout, Rdi, Vmsa, rdi);
  EXPECT_AT(vmsa_layout, SevFeatures, Vmsa, sev_features);
  EXPECT_AT(vmsa_layout, Xcr0, Vmsa, xcr0);
  EXPECT_AT(vmsa_layout, Mxcsr, Vmsa, mxcsr);
  EXPECT_AT(vmsa_layout, X87Ftw, Vmsa, x87_ftw);
  EXPECT_AT(vmsa_layout, X87Fsw, Vmsa, x87_fsw);
  EXPECT_AT(vmsa_layout, X87Fcw, Vmsa, x87_fcw);
}
#undef EXPECT_AT

// The MSR protocol has no header for programs. Values as AMD prints them.
TEST(Ghcb, MsrProtocolIsPinned) {
  constexpr std::array<uint64_t, 13> kInfo = {
      kMsrSevInfoResponse,
      kMsrSevInfoRequest,
      kMsrCpuidRequest,
      kMsrCpuidResponse,
      kMsrPreferredGhcbRequest,
      kMsrPreferredGhcbResponse,
      kMsrRegisterGhcbRequest,
      kMsrRegisterGhcbResponse,
      kMsrPageStateRequest,
      kMsrPageStateResponse,
      kMsrFeaturesRequest,
      kMsrFeaturesResponse,
      kMsrTerminate,
  };
  constexpr std::array<uint64_t, 13> kSpecified = {
      0x001, 0x002, 0x004, 0x005, 0x010, 0x011, 0x012,
      0x013, 0x014, 0x015, 0x080, 0x081, 0x100};
  EXPECT_EQ(kInfo, kSpecified);
  // An answer follows its request; SEV information precedes it.
  for (size_t i = 2; i + 1 < kInfo.size(); i += 2) {
    EXPECT_EQ(kInfo[i + 1], kInfo[i] + 1);
  }
  EXPECT_EQ(kGhcbMsr, 0xC0010130u);
  EXPECT_EQ(kSevStatusMsr, kGhcbMsr + 1);
}

TEST(Ghcb, PageStateEntryIsPacked) {
  EXPECT_EQ(MakePscEntry(0x123456789000, PageOperation::kShared, false),
            0x0020123456789000u);
  EXPECT_EQ(MakePscEntry(0x40000000, PageOperation::kPrivate, true),
            0x0110000040000000u);
  // Bits of an address that are not its page number do not leak into others.
  EXPECT_EQ(MakePscEntry(~uint64_t{0}, PageOperation::kPrivate, false),
            0x001FFFFFFFFFF000u);
}

// SEV_FEATURES of the VMSA and SEV_STATUS are one list, two bits apart.
TEST(Vmsa, FeaturesAreTheStatusBits) {
  EXPECT_EQ(kSevFeatureSnp << 2, kSevStatusSnp);
  EXPECT_EQ(uint64_t{1} << 9 << 2, kSevStatusSecureTsc);
  EXPECT_EQ(uint64_t{1} << 14 << 2, kSevStatusVmsaRegisterProtection);
}

using CpuidPage = std::array<uint8_t, kCpuidPageSize>;

void PutEntry(CpuidPage& page, size_t index, uint32_t leaf, uint32_t subleaf,
              uint32_t ebx) {
  namespace f = cpuid_function_layout;
  const auto entry = std::span<uint8_t, kCpuidPageSize>(page)
                         .subspan(kCpuidHeaderSize + index * kCpuidFunctionSize)
                         .first<kCpuidFunctionSize>();
  PutLe<uint32_t, f::EaxIn>(leaf, entry);
  PutLe<uint32_t, f::EcxIn>(subleaf, entry);
  PutLe<uint32_t, f::Ebx>(ebx, entry);
}

TEST(CpuidPage, FindsTheFirstEntryOfALeafAndSubleaf) {
  CpuidPage page{};
  page[0] = 3;
  PutEntry(page, 0, 7, 0, 10);
  PutEntry(page, 1, 7, 1, 20);
  PutEntry(page, 2, 7, 1, 30);
  PutEntry(page, 3, 8, 0, 40);  // behind COUNT
  EXPECT_EQ(FindCpuid(page, 7, 0)->ebx, 10u);
  EXPECT_EQ(FindCpuid(page, 7, 1)->ebx, 20u);
  EXPECT_FALSE(FindCpuid(page, 7, 2).has_value());
  EXPECT_FALSE(FindCpuid(page, 8, 0).has_value());
  page[0] = 4;
  EXPECT_EQ(FindCpuid(page, 8, 0)->ebx, 40u);
}

TEST(CpuidPage, NoCountReadsOutOfThePage) {
  CpuidPage page{};
  PutEntry(page, kCpuidMaxFunctions - 1, 7, 0, 10);
  const std::span<uint8_t, kCpuidPageSize> out(page);
  for (const uint32_t count :
       {0u, 1u, 63u, 64u, 65u, 0x80000000u, 0xFFFFFFFFu}) {
    PutLe<uint32_t, cpuid_page_layout::Count>(count, out);
    EXPECT_EQ(FindCpuid(page, 7, 0).has_value(), count == 64) << count;
  }
}

// Whatever one bit says, an answer is one that stands in the page.
TEST(CpuidPage, EveryFlippedBitIsReadInBounds) {
  CpuidPage page{};
  page[0] = 2;
  PutEntry(page, 0, 0x8000001F, 0, 51);
  PutEntry(page, 1, 7, 0, 10);
  for (size_t bit = 0; bit < 8 * kCpuidPageSize; ++bit) {
    CpuidPage flipped = page;
    flipped[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    const auto found = FindCpuid(flipped, 0x8000001F, 0);
    if (!found.has_value()) {
      // COUNT, EAX_IN or ECX_IN.
      EXPECT_LT(bit, 8 * (kCpuidHeaderSize + 8)) << bit;
      continue;
    }
    const bool in_ebx = bit / 8 - kCpuidHeaderSize - 0x1C < 4;
    EXPECT_EQ(found->ebx == 51, !in_ebx) << bit;
  }
}

}  // namespace
}  // namespace sev
