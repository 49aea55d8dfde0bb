// SPDX-License-Identifier: Apache-2.0
//
// PLATFORM_INFO: what is switched on in the machine that runs the guest.
//
// Spec: AMD 56860 rev. 1.58, table "PLATFORM_INFO Field". Unlisted bits do
// occur on genuine machines (bit 6 is set on Turin): never treated as reserved.
#pragma once

#include <stdint.h>

#include "sev/guest_policy.h"

namespace sev {

inline constexpr uint64_t kPlatformInfoSmtEnabled = uint64_t{1} << 0;
inline constexpr uint64_t kPlatformInfoTsmeEnabled = uint64_t{1} << 1;
inline constexpr uint64_t kPlatformInfoEccEnabled = uint64_t{1} << 2;
inline constexpr uint64_t kPlatformInfoRaplDisabled = uint64_t{1} << 3;
inline constexpr uint64_t kPlatformInfoCiphertextHidingDramEnabled = uint64_t{1}
                                                                     << 4;
inline constexpr uint64_t kPlatformInfoAliasCheckComplete = uint64_t{1} << 5;
inline constexpr uint64_t kPlatformInfoIommuWriteSafe = uint64_t{1} << 6;
inline constexpr uint64_t kPlatformInfoTioEnabled = uint64_t{1} << 7;

// Names as policies and tables of a report write them.
inline constexpr NamedBit kPlatformInfoBits[] = {
    {"smt_enabled", kPlatformInfoSmtEnabled},
    {"tsme_enabled", kPlatformInfoTsmeEnabled},
    {"ecc_enabled", kPlatformInfoEccEnabled},
    {"rapl_disabled", kPlatformInfoRaplDisabled},
    {"ciphertext_hiding_dram_enabled",
     kPlatformInfoCiphertextHidingDramEnabled},
    {"alias_check_complete", kPlatformInfoAliasCheckComplete},
    {"iommu_write_safe", kPlatformInfoIommuWriteSafe},
    {"tio_enabled", kPlatformInfoTioEnabled},
};

}  // namespace sev
