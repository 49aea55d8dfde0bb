// SPDX-License-Identifier: Apache-2.0
//
// Pages of the image that an SNP launch fills. Private memory.
#pragma once

#include <stdint.h>

#include <span>

#include "sev/cpuid_page.h"
#include "sev/secrets_page.h"
#include "svsm/boot/image_symbols.h"
#include "svsm/platform/platform.h"

namespace svsm {

inline bool OnSnp() { return ThePlatform().entry_point() == EntryPoint::kSnp; }

// EDGE: image.ld reserves both pages.
inline std::span<uint8_t, sev::kSecretsPageSize> SecretsPage() {
  return std::span<uint8_t, sev::kSecretsPageSize>(
      reinterpret_cast<uint8_t*>(__snp_secrets_page), sev::kSecretsPageSize);
}
inline std::span<const uint8_t, sev::kCpuidPageSize> CpuidPage() {
  return std::span<const uint8_t, sev::kCpuidPageSize>(
      reinterpret_cast<const uint8_t*>(__snp_cpuid_page), sev::kCpuidPageSize);
}

}  // namespace svsm
