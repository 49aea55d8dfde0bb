// SPDX-License-Identifier: Apache-2.0
//
// How an SNP guest's Linux learns where its secrets page and CPUID page are:
// a setup_data node that points to the confidential-computing blob.
//
// Source: Linux arch/x86/include/asm/sev.h (struct cc_blob_sev_info),
// arch/x86/coco/sev/shared.c (struct cc_setup_data: what finds and checks it)
// and arch/x86/coco/sev/core.c (get_secrets_page: ioremap, which refuses RAM).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>

#include "sev/cpuid_page.h"
#include "sev/secrets_page.h"

namespace svsm {

// What the kernel gets of the launch. Both stay the caller's.
struct LaunchPages {
  std::span<const uint8_t, sev::kSecretsPageSize> secrets;
  std::span<const uint8_t, sev::kCpuidPageSize> cpuid;
};

// Three pages: copy of the secrets page, copy of the CPUID page, the blob.
inline constexpr size_t kKeptPagesSize =
    sev::kSecretsPageSize + sev::kCpuidPageSize + 4096;

// The blob's, in pages that lie at guest-physical `address`.
constexpr uint32_t CcBlobAddress(uint32_t address) {
  return address +
         static_cast<uint32_t>(sev::kSecretsPageSize + sev::kCpuidPageSize);
}

// Fills the pages, which lie at guest-physical `address`, below 4 GiB. VMPCK0
// is left out, whatever is in its place: the kernel speaks with one of the
// other three.
void WriteKeptPages(const LaunchPages& pages, uint32_t address,
                    std::span<uint8_t, kKeptPagesSize> out);

// A setup_data node of type SETUP_CC_BLOB, the last of its list.
inline constexpr size_t kCcBlobNodeSize = 24;
void WriteCcBlobNode(uint32_t blob, std::span<uint8_t, kCcBlobNodeSize> out);

}  // namespace svsm
