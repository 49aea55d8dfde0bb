// SPDX-License-Identifier: Apache-2.0
//
// Another program run to its end for what it prints: bounded in time and in
// bytes, with nothing on its standard input.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>

#include "absl/status/statusor.h"

namespace hosted {

struct ChildLimits {
  std::chrono::milliseconds time = std::chrono::seconds(10);
  size_t output = 64 << 10;  // bytes; what comes after them is dropped
};

struct ChildOutput {
  int exit_code = 0;
  // Standard output and error, as they came: another program's words, to be
  // shown by Printable() only.
  std::string text;
};

// `words` are the program, looked up on the PATH if it has no slash, and its
// arguments. The environment is the caller's with LC_ALL=C.
//   NotFound: no such program. DeadlineExceeded: it was killed, with what it
//   had started in its process group. Aborted: a signal ended it.
absl::StatusOr<ChildOutput> RunChild(std::span<const std::string> words,
                                     const ChildLimits& limits = {});

}  // namespace hosted
