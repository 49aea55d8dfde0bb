// SPDX-License-Identifier: Apache-2.0
//
// Internal. The ID block as the secure processor takes it and as IGVM has it:
// without policy (the file's) and reserved bytes.
#pragma once

#include <stdint.h>

#include "absl/status/statusor.h"
#include "launch/igvm/igvm.h"
#include "launch/launch_plan.h"

namespace launch {

// Points into `plan`. `policy` is the file's.
//   InvalidArgument (LA15): malformed, or with another policy.
absl::StatusOr<igvm::SnpIdBlock> IgvmIdBlock(const PlanIdBlock& plan,
                                             uint32_t compatibility_mask,
                                             uint64_t policy);

//   InvalidArgument (LA14): another version, or an author key that is there and
//   not enabled, or enabled and not there.
absl::StatusOr<PlanIdBlock> PlanOfIdBlock(const igvm::SnpIdBlock& block,
                                          uint64_t policy);

}  // namespace launch
