// SPDX-License-Identifier: Apache-2.0
//
// Which chains a host's daemon shall send: of each chip and TCB of which a VCEK
// is at hand, and of each provider and TCB, the one that will verify.
#pragma once

#include <ctime>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "cli/roots_prepare.h"
#include "verifier/endorsements/accepted_root.h"

namespace cli {

// `paths`: files, and folders with *.der and *.pem at any depth; what they are
// called does not matter. `now`: seconds since 1970. A chain that is chosen
// verifies up to a root of `roots` now, and nothing of it is revoked.
//   CL1, CL2, CL5 (a file; of a folder that is a note).
absl::StatusOr<Choice> ChooseChains(
    std::span<const std::string> paths,
    std::span<const verifier::AcceptedRoot> roots, time_t now);

}  // namespace cli
