// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/common.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "verifier/finding.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

bool IsThere(const std::string& path) {
  struct stat about;
  return stat(path.c_str(), &about) == 0 || errno != ENOENT;
}

}  // namespace

std::string StateFolder(const hosted::Arguments& arguments) {
  if (arguments.Has("state")) return arguments.Value("state");
  const char* folder = getenv("FORELOCK_VERIFIER_STATE");
  return folder != nullptr ? folder : "/var/lib/forelock-verifier";
}

absl::StatusOr<std::unique_ptr<Store>> OpenStore(
    const hosted::Arguments& arguments) {
  const std::string folder = StateFolder(arguments);
  // One of the two without the other is damage, not another folder.
  if (!IsThere(absl::StrCat(folder, "/master.key")) &&
      !IsThere(absl::StrCat(folder, "/verifier.db"))) {
    return Error(kStoreOpen, absl::StatusCode::kNotFound,
                 absl::StrCat(folder,
                              ": no verifier's state is there; check --state "
                              "(or $FORELOCK_VERIFIER_STATE), or make it: "
                              "forelock-verifier init --state ",
                              folder));
  }
  return Store::Open(folder);
}

}  // namespace verifier
