// SPDX-License-Identifier: Apache-2.0
#include "svsm/boot/snp_entry.h"

#include "proto/config_level.h"
#include "proto/launch_note.h"
#include "sev/cpuid_page.h"
#include "sev/ghcb.h"
#include "sev/secrets_page.h"
#include "sev/termination.h"
#include "svsm/platform/platform.h"
#include "svsm/platform/snp/reasons.h"
#include "svsm/reasons.h"

namespace svsm {

// What boot/snp_entry.S has as bare numbers.
static_assert(FORELOCK_TERMINATE_SECOND_CPU ==
              sev::TerminateRequest(kSecondCpu));
static_assert(FORELOCK_TERMINATE_NO_RANDOM ==
              sev::TerminateRequest(kEntropyStuck));
static_assert(FORELOCK_TERMINATE_CPUID_PAGE ==
              sev::TerminateRequest(kSnpCpuidPage));
static_assert(FORELOCK_TERMINATE_C_BIT_RANGE ==
              sev::TerminateRequest(kSnpCbitRange));
static_assert(FORELOCK_TERMINATE_C_BIT_WRONG ==
              sev::TerminateRequest(kSnpCbitWrong));
static_assert(FORELOCK_TERMINATE_EARLY_EXCEPTION ==
              sev::TerminateRequest(kSnpEarlyException));
static_assert(static_cast<int>(EntryPoint::kSnp) == 1);
static_assert(sev::kGhcbMsr == 0xC0010130);
static_assert(sev::kCpuidEncryptedMemory == 0x8000001F);
static_assert(sev::kCpuidMaxFunctions == 64 && sev::kCpuidHeaderSize == 0x10 &&
              sev::kCpuidFunctionSize == 0x30);
static_assert(sev::cpuid_function_layout::EaxIn::kOffset == 0x00 &&
              sev::cpuid_function_layout::EcxIn::kOffset == 0x04 &&
              sev::cpuid_function_layout::Ebx::kOffset == 0x1C);
static_assert(sev::secrets_layout::Vmpck0::kOffset == 0x20 &&
              sev::secrets_layout::Vmpck0::kSize == 32);
static_assert(proto::kLaunchNoteSize == 0x28 && proto::kLaunchNoteType == 1 &&
              proto::kLaunchNoteVersion == 1);
static_assert(sizeof(proto::kLaunchNoteName) == 9);
static_assert(proto::kConfigLevel == FORELOCK_CONFIG_LEVEL &&
              proto::kConfigLevelNoteType == 2);

}  // namespace svsm
