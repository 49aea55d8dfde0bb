// SPDX-License-Identifier: Apache-2.0
//
// Why the secure processor would not finish a launch with its ID block.
//
// Spec: AMD 56860 rev. 1.58, SNP_LAUNCH_FINISH.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "launch/launch_plan.h"
#include "sev/page_info.h"

namespace launch {

// Of the launch that an ID block has to name.
struct FinishedLaunch {
  sev::LaunchDigest digest{};
  uint64_t policy = 0;
};

// Sentences; empty: SNP_LAUNCH_FINISH accepts the block. Without `launch` only
// what the block says of itself is looked at: form and signatures.
std::vector<std::string> CheckIdBlock(
    const PlanIdBlock& block, const std::optional<FinishedLaunch>& launch);

}  // namespace launch
