// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/common.h"

#include <cstdio>
#include <cstdlib>

#include "verifier/finding.h"

namespace verifier {

std::string StateFolder(const Arguments& arguments) {
  if (arguments.Has("state")) return arguments.Get("state");
  const char* folder = getenv("FORELOCK_VERIFIER_STATE");
  return folder != nullptr ? folder : "/var/lib/forelock-verifier";
}

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const Arguments& arguments) {
  return Store::Open(StateFolder(arguments));
}

int Fail(const absl::Status& status) {
  const std::string message = Printable(status.message());
  fprintf(stderr, "forelock-verifier: %s\n", message.c_str());
  return kFailed;
}

int FailUsage(std::string_view what) {
  fprintf(stderr, "forelock-verifier: %s\n", std::string(what).c_str());
  return kUsage;
}

}  // namespace verifier
