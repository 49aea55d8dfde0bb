// SPDX-License-Identifier: Apache-2.0
//
// What each command of forelock-verifier does. Each prints to standard output;
// a status that is not OK is the reason, which hosted::Run prints.
#pragma once

#include "absl/status/status.h"
#include "hosted/arguments.h"

namespace verifier {

using hosted::Arguments;

hosted::Program VerifierProgram();

absl::Status Init(const Arguments& arguments);
absl::Status ShowPin(const Arguments& arguments);
absl::Status Serve(const Arguments& arguments);
absl::Status RootsAdd(const Arguments& arguments);
absl::Status RootsList(const Arguments& arguments);
absl::Status RootsRemove(const Arguments& arguments);
absl::Status PolicyAdd(const Arguments& arguments);
absl::Status PolicyReplace(const Arguments& arguments);
absl::Status PolicyRemove(const Arguments& arguments);
absl::Status PolicyList(const Arguments& arguments);
absl::Status SecretAdd(const Arguments& arguments);
absl::Status SecretAddDisk(const Arguments& arguments);
absl::Status SecretReplace(const Arguments& arguments);
absl::Status SecretReplaceDisk(const Arguments& arguments);
absl::Status SecretRemove(const Arguments& arguments);
absl::Status SecretList(const Arguments& arguments);
absl::Status AuditList(const Arguments& arguments);
absl::Status AuditShow(const Arguments& arguments);

}  // namespace verifier
