// SPDX-License-Identifier: Apache-2.0
//
// What each command of forelock-verifier does. Each prints to standard output,
// reasons to standard error, and returns the exit status.
#pragma once

#include <vector>

#include "verifier/cli/arguments.h"

namespace verifier {

const std::vector<Command>& Commands();

int Init(const Arguments& arguments);
int ShowPin(const Arguments& arguments);
int Serve(const Arguments& arguments);
int RootsAdd(const Arguments& arguments);
int RootsList(const Arguments& arguments);
int RootsRemove(const Arguments& arguments);
int PolicyAdd(const Arguments& arguments);
int PolicyReplace(const Arguments& arguments);
int PolicyRemove(const Arguments& arguments);
int PolicyList(const Arguments& arguments);
int SecretAdd(const Arguments& arguments);
int SecretAddDisk(const Arguments& arguments);
int SecretReplace(const Arguments& arguments);
int SecretReplaceDisk(const Arguments& arguments);
int SecretRemove(const Arguments& arguments);
int SecretList(const Arguments& arguments);
int AuditList(const Arguments& arguments);
int AuditShow(const Arguments& arguments);

}  // namespace verifier
