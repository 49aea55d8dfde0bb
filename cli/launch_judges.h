// SPDX-License-Identifier: Apache-2.0
//
// Judges of vectors that speak of launches: ID blocks, and lists of measured
// pages. They stand on launch/, which the verifier and its conformance library
// may not use.
#pragma once

#include <span>

#include "verifier/conformance/judge.h"

namespace cli {

// "id-block" and "launch-measurement".
std::span<const verifier::conformance::KindJudge> LaunchJudges();

}  // namespace cli
