// SPDX-License-Identifier: Apache-2.0
//
// Reason codes of the SNP platform. SP1 to SP4 are also boot/snp_entry.S's.
#pragma once

#include "base/reasons.h"

#define FORELOCK_SNP_REASONS(X)                                                \
  X(kSnpCpuidPage, 'S', 'P', 1,                                                \
    "the CPUID page is malformed or names no C-bit",                           \
    "The VMM filled the CPUID page wrongly; it must list leaf 0x8000001F.")    \
  X(kSnpCbitRange, 'S', 'P', 2, "the CPUID page names an impossible C-bit",    \
    "The VMM filled the CPUID page wrongly, or the host is hostile.")          \
  X(kSnpCbitWrong, 'S', 'P', 3,                                                \
    "memory does not read back through the C-bit of the CPUID page",           \
    "The host is hostile, or the VMM filled the CPUID page wrongly.")          \
  X(kSnpEarlyException, 'S', 'P', 4,                                           \
    "an exception or interrupt came before the image could handle it",         \
    "The host injected an event, or took a page of the image away.")           \
  X(kSnpNotActive, 'S', 'P', 5, "SEV_STATUS does not show SEV-SNP",            \
    "An snp image runs only in an SEV-SNP guest; check the launch.")           \
  X(kSnpFeatureUnknown, 'S', 'P', 6,                                           \
    "SEV_STATUS shows a feature that the image does not support",              \
    "Launch without vTOM, ReflectVC, restricted and alternate injection; see " \
    "SEV_FEATURES of the VMSA.")                                               \
  X(kGhcbVersion, 'S', 'P', 7, "the hypervisor does not speak GHCB version 2", \
    "Use a hypervisor with SEV-SNP support (Linux 6.11 or later).")            \
  X(kGhcbCbit, 'S', 'P', 8,                                                    \
    "the hypervisor names another C-bit than the CPUID page",                  \
    "The host is broken or hostile.")                                          \
  X(kGhcbFeatures, 'S', 'P', 9, "the hypervisor does not support SEV-SNP",     \
    "Use a hypervisor with SEV-SNP support (Linux 6.11 or later).")            \
  X(kGhcbMsrAnswer, 'S', 'P', 10,                                              \
    "the hypervisor's answer in the GHCB MSR is malformed",                    \
    "The host is broken or hostile.")                                          \
  X(kGhcbRegistration, 'S', 'P', 11,                                           \
    "the hypervisor did not register the GHCB page",                           \
    "The host is broken or hostile.")                                          \
  X(kGhcbUnanswered, 'S', 'P', 12,                                             \
    "the hypervisor left the answer in the GHCB unwritten",                    \
    "The host is broken or hostile, or does not support the request.")         \
  X(kGhcbException, 'S', 'P', 13,                                              \
    "the hypervisor asks for an exception instead of an answer",               \
    "The host is broken or hostile, or does not support the request.")         \
  X(kGhcbRefused, 'S', 'P', 14, "the hypervisor calls a request malformed",    \
    "The host does not support the request; see its log.")                     \
  X(kGhcbUnknownResult, 'S', 'P', 15,                                          \
    "the hypervisor's result is none that the GHCB specification has",         \
    "The host is broken or hostile.")                                          \
  X(kGhcbBusy, 'S', 'P', 16, "the GHCB was needed while it was in use",        \
    "The host injected an exception during a request.")                        \
  X(kPageStateRefused, 'S', 'P', 17,                                           \
    "the hypervisor refused to change the state of a page",                    \
    "The host is out of memory, or does not support the change; see its log.") \
  X(kPageStateCursor, 'S', 'P', 18,                                            \
    "the hypervisor moved the cursor of a page state change wrongly",          \
    "The host is broken or hostile.")                                          \
  X(kPageStateStuck, 'S', 'P', 19,                                             \
    "the hypervisor does not get on with a page state change",                 \
    "The host is overloaded, broken or hostile.")                              \
  X(kPvalidateFailed, 'S', 'P', 20, "PVALIDATE failed",                        \
    "The host did not give the page that it said it gave.")                    \
  X(kPvalidateUnchanged, 'S', 'P', 21,                                         \
    "a page was validated, or not, already",                                   \
    "The host remapped memory: it is hostile.")                                \
  X(kPageNotOurs, 'S', 'P', 22,                                                \
    "a page was to be taken twice, or to be shared that is not the image's",   \
    "The host's memory map overlaps itself or the image; or a bug.")           \
  X(kPageBeyondCbit, 'S', 'P', 23,                                             \
    "the memory map has an address with the C-bit or above",                   \
    "The host's memory map is broken or hostile.")                             \
  X(kVcUnexpected, 'S', 'P', 24,                                               \
    "a #VC came for something that the image does not do",                     \
    "The host intercepts what it should not, or injected the exception.")      \
  X(kVcMismatch, 'S', 'P', 25,                                                 \
    "a #VC came that the instruction does not raise",                          \
    "The host injected the exception: it is hostile.")                         \
  X(kVcPrivateMsr, 'S', 'P', 26,                                               \
    "a #VC came for an MSR that the CPU itself answers",                       \
    "The host injected the exception: it is hostile.")                         \
  X(kPageTakenAway, 'S', 'P', 27,                                              \
    "a page in use is not validated any more, or never was",                   \
    "The host took a page of the guest away or remapped it.")

namespace svsm {
FORELOCK_SNP_REASONS(BASE_DEFINE_REASON)
}  // namespace svsm
