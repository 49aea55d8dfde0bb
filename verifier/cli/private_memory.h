// SPDX-License-Identifier: Apache-2.0
//
// Keeps this process's memory, which holds secrets, out of core files and away
// from debuggers of the same user.
#pragma once

namespace verifier {

// First thing in main. false: the system refused; errno says why.
bool KeepMemoryPrivate();

}  // namespace verifier
