// SPDX-License-Identifier: Apache-2.0
//
// Whether the machine is the one that the measured configuration names. CPUID
// is the host's word, so there is no detection and no default; SEV_STATUS,
// which the CPU itself answers, can only confirm. Design section 6.
#pragma once

#include <stdint.h>

#include "base/result.h"
#include "proto/config.h"
#include "svsm/platform/platform.h"

namespace svsm {

// `sev_status` is the SEV_STATUS MSR ([amd/vol2] 15.34.10); a CPU without it
// has no SEV: pass 0. kSnp is entered by an SNP launch, kEmulated by PVH.
//   kFailedPrecondition: kPvhIsEmulated, kPlatformIsSnp, kSnpNotActive.
base::Status CheckPlatform(proto::Platform configured, EntryPoint entry,
                           uint64_t sev_status);

}  // namespace svsm
