// SPDX-License-Identifier: Apache-2.0
//
// What a policy leaves open although it loads: for its owner to confirm.
#pragma once

#include <string>
#include <vector>

#include "verifier/policy/policy.h"

namespace verifier {

// Each begins with the field that it is about: "guest_policy.smt: ...".
std::vector<std::string> WarningsOf(const Policy& policy);

}  // namespace verifier
