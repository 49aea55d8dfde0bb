// SPDX-License-Identifier: Apache-2.0
//
// Log: the lines of a daemon, which never waits for whoever reads them. Lines
// go into a bounded queue; a thread writes them. If the reader stalls, or the
// disk is full, lines are dropped and counted, and "N lines dropped" says so in
// their place as soon as there is room again.
//
//   2026-11-30T20:24:01.123Z info vm1: started (0.012 s)
//
// Connected to the journal (JOURNAL_STREAM of systemd.exec(5) names this very
// file), a line begins with its priority, "<6>", and has no time: the journal
// has its own.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace hosted {

class Log {
 public:
  // Values are the priorities of syslog(3).
  enum class Level : uint8_t { kError = 3, kWarning = 4, kInfo = 6 };

  struct Options {
    // Duplicated at once; whoever shares its description may set O_NONBLOCK.
    int fd = STDOUT_FILENO;
    // How much may wait. A line's text is cut at a quarter of `bytes`.
    size_t lines = 1024;
    size_t bytes = 256 * 1024;
  };

  // Starts the thread, which takes no signals; without one it aborts.
  explicit Log(const Options& options);
  Log() : Log(Options()) {}
  // Close() with kPatience.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Never waits, whatever the reader does. From any thread. Control characters
  // in `text` are shown as \xNN. After Close() it does nothing.
  void Line(Level level, std::string_view text);
  void Info(std::string_view text) { Line(Level::kInfo, text); }

  // Ends the thread: when what waits is written, or after `patience` if the
  // reader has not taken it by then, in twice that time at the most. True: all
  // that waited is written, or told as dropped.
  bool Close(std::chrono::milliseconds patience);
  static constexpr std::chrono::milliseconds kPatience{1000};

  // How many lines were given up so far.
  uint64_t dropped() const;

 private:
  struct State;
  // The thread's too: it may outlive this, in a write() that does not return.
  std::shared_ptr<State> state_;
};

}  // namespace hosted
