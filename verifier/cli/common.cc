// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/common.h"

#include <cstdlib>

namespace verifier {

std::string StateFolder(const hosted::Arguments& arguments) {
  if (arguments.Has("state")) return arguments.Value("state");
  const char* folder = getenv("FORELOCK_VERIFIER_STATE");
  return folder != nullptr ? folder : "/var/lib/forelock-verifier";
}

absl::StatusOr<std::unique_ptr<Store>> OpenStore(
    const hosted::Arguments& arguments) {
  return Store::Open(StateFolder(arguments));
}

}  // namespace verifier
