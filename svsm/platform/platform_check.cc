// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/platform_check.h"

#include "svsm/reasons.h"

namespace svsm {

base::Status CheckPlatform(proto::Platform configured, EntryPoint entry,
                           uint64_t sev_status) {
  if (entry == EntryPoint::kPvh && configured != proto::Platform::kEmulated) {
    return base::Status(base::Code::kFailedPrecondition, kPvhIsEmulated);
  }
  if (configured == proto::Platform::kEmulated && sev_status != 0) {
    return base::Status(base::Code::kFailedPrecondition, kPlatformIsSnp);
  }
  return {};
}

}  // namespace svsm
