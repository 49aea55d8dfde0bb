// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/platform_check.h"

#include "sev/ghcb.h"
#include "svsm/platform/snp/reasons.h"
#include "svsm/reasons.h"

namespace svsm {
namespace {

using base::Code;
using base::Status;

constexpr uint64_t kSnp =
    sev::kSevStatusSev | sev::kSevStatusEs | sev::kSevStatusSnp;

}  // namespace

Status CheckPlatform(proto::Platform configured, EntryPoint entry,
                     uint64_t sev_status) {
  if (entry == EntryPoint::kPvh && configured != proto::Platform::kEmulated) {
    return Status(Code::kFailedPrecondition, kPvhIsEmulated);
  }
  if (configured == proto::Platform::kEmulated) {
    return entry == EntryPoint::kPvh && sev_status == 0
               ? Status()
               : Status(Code::kFailedPrecondition, kPlatformIsSnp);
  }
  if ((sev_status & kSnp) != kSnp) {
    return Status(Code::kFailedPrecondition, kSnpNotActive);
  }
  return {};
}

}  // namespace svsm
