// SPDX-License-Identifier: Apache-2.0
//
// What the commands share; not for others.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "hosted/arguments.h"
#include "verifier/store/store.h"

namespace verifier {

std::string StateFolder(const hosted::Arguments& arguments);
absl::StatusOr<std::unique_ptr<Store>> OpenStore(
    const hosted::Arguments& arguments);

}  // namespace verifier
