// SPDX-License-Identifier: Apache-2.0
//
// Another program run for what it prints: bounded in time and in bytes. It has
// a process group of its own, which ends with it where we end it.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace hosted {

// What a pipe takes at once and without a reader.
inline constexpr size_t kMaxChildInput = 4096;

struct ChildOptions {
  std::chrono::milliseconds time = std::chrono::seconds(10);
  size_t output = 64 << 10;  // bytes; what comes after them is dropped
  // All that its standard input holds; kMaxChildInput at most. A secret may be
  // in it: it goes nowhere but through the pipe.
  base::Bytes input;
  // All of its environment; empty: the caller's with LC_ALL=C.
  std::vector<std::string> environment;
  // Called with all output so far whenever there is more. True: that is enough,
  // and the program is killed.
  std::function<bool(std::string_view text)> enough;
  // SIGINT, SIGTERM and SIGHUP end the program, then come to us as if they had
  // been sent now. This is called in between: files may be left to remove.
  std::function<void()> on_signal;
};

struct ChildOutput {
  int exit_code = 0;
  bool stopped = false;  // `enough` said so; there is no exit code
  // Standard output and error, as they came: another program's words, to be
  // shown by Printable() only.
  std::string text;
};

// `words` are the program, looked up on the PATH if it has no slash, and its
// arguments.
//   NotFound: no such program. InvalidArgument: `input` is too long.
//   DeadlineExceeded: it was killed, with what it had started in its process
//   group. Aborted: a signal ended it; the message has its last words.
//   Cancelled: a signal came to us, and the caller has a handler for it.
// For programs of one thread: another one would get the signals.
absl::StatusOr<ChildOutput> RunChild(std::span<const std::string> words,
                                     const ChildOptions& options = {});

// The end of what a program printed, for a message.
std::string LastWords(std::string_view text);

}  // namespace hosted
