// SPDX-License-Identifier: Apache-2.0
//
// Trace: every exit with its cause, counted and, if asked for, written down.
#pragma once

#include <stdint.h>
#include <stdio.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "machine/cause.h"
#include "machine/exit_hook.h"

namespace machine {

// A line of the console, and what had been spent when it ended.
struct Mark {
  std::string text;
  uint64_t instructions = 0;
  uint64_t budget_exits = 0;
  uint64_t exits = 0;
};

class Trace {
 public:
  // `out` may be null: then exits are only counted. It outlives the trace.
  explicit Trace(FILE* out) : out_(out) {}

  void Record(const Exit& exit);
  void ConsoleCharacter(char c, uint64_t instructions);
  // A line of its own between the exits.
  void Note(std::string_view text);

  uint64_t count(Cause cause) const {
    return counts_[static_cast<size_t>(cause)];
  }
  uint64_t exits() const;
  // What design section 9 counts.
  uint64_t budget_exits() const;
  const std::string& console() const { return console_; }
  const std::vector<Mark>& marks() const { return marks_; }

  // {"exits": {cause: count}, "budget_exits": n, "marks": [...]} without the
  // braces around.
  std::string JsonMembers() const;

 private:
  FILE* const out_;
  std::array<uint64_t, kCauseCount> counts_{};
  std::string console_, line_;
  std::vector<Mark> marks_;
};

// A JSON string literal.
std::string JsonQuoted(std::string_view text);

}  // namespace machine
