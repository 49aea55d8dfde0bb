// SPDX-License-Identifier: Apache-2.0
#include "launch/id_block_check.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hosted/text.h"
#include "launch/id_block.h"
#include "sev/id_block.h"

namespace launch {

std::vector<std::string> CheckIdBlock(
    const PlanIdBlock& block, const std::optional<FinishedLaunch>& launch) {
  const auto parsed = sev::ParseIdBlock(block.id_block);
  const auto auth = sev::ParseIdAuth(block.id_auth);
  if (!parsed.ok() || !auth.ok()) return {"the ID block is malformed"};
  std::vector<std::string> findings;
  if (launch && parsed->launch_digest != launch->digest) {
    findings.push_back(absl::StrCat("the ID block is of launch digest ",
                                    hosted::Hex(parsed->launch_digest)));
  }
  if (launch && parsed->policy != launch->policy) {
    findings.push_back(absl::StrFormat("the ID block is of guest policy 0x%x",
                                       parsed->policy));
  }
  if (!VerifyIdAuth(block.id_block, *auth).ok()) {
    findings.push_back("the ID block's signatures do not verify");
  }
  return findings;
}

}  // namespace launch
