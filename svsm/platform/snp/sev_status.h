// SPDX-License-Identifier: Apache-2.0
//
// What SEV_STATUS must say. The CPU itself answers this MSR in an SNP guest,
// so unlike CPUID it can refute. Spec: [amd/vol2] 15.34.10.
#pragma once

#include <stdint.h>

#include "base/result.h"
#include "sev/ghcb.h"
#include "svsm/platform/snp/reasons.h"

namespace svsm {

// SEV, SEV-ES and SEV-SNP must be on. Features that change what the image would
// have to do (vTOM, reflected #VC, the two kinds of injection), and those that
// nobody knows yet, end the boot; those that only protect more may be on.
//   kFailedPrecondition: kSnpNotActive, kSnpFeatureUnknown.
constexpr base::Status CheckSevStatus(uint64_t status) {
  constexpr uint64_t kRequired =
      sev::kSevStatusSev | sev::kSevStatusEs | sev::kSevStatusSnp;
  constexpr uint64_t kAllowed =
      sev::kSevStatusDebugSwap | sev::kSevStatusPreventHostIbs |
      sev::kSevStatusBtbIsolation | sev::kSevStatusSecureTsc;
  if ((status & kRequired) != kRequired) {
    return base::Status(base::Code::kFailedPrecondition, kSnpNotActive);
  }
  if ((status & ~(kRequired | kAllowed)) != 0) {
    return base::Status(base::Code::kFailedPrecondition, kSnpFeatureUnknown);
  }
  return {};
}

}  // namespace svsm
