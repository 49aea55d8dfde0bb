// SPDX-License-Identifier: Apache-2.0
//
// A launch as a list of measured pages, in JSON: the form of the recorded
// launch measurements (vectors/README.md), and of other tools' logs.
//
//   { "seed_ld": HEX,                       left out: zeros
//     "page_info_updates": { "rows": [ [page type, gpa, contents_sha384] ] },
//     "expected_launch_digest": HEX }       may be left out
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "launch/launch_plan.h"
#include "sev/page_info.h"

namespace cli {

struct PageList {
  // `digest` is that with the page.
  std::vector<launch::MeasuredPage> pages;
  sev::LaunchDigest digest{};
  std::optional<sev::LaunchDigest> expected;
};

//   CL40: not JSON. CL43: not such a list.
absl::StatusOr<PageList> ReadPageList(base::Bytes text);

}  // namespace cli
