// SPDX-License-Identifier: Apache-2.0
//
// Command lines of the shape PROGRAM WORD... [--name VALUE] [--switch] [FILE].
// Each command declares what it takes; anything else is an error that says so.
// One command of a program may have no words: PROGRAM [--name VALUE]...
// The same tables make --help, the manual pages and the shells' completion
// (help.h, completion.h).
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hosted {

struct Option {
  // kRepeated: any number of times, also none.
  enum class Kind : uint8_t { kRequired, kOptional, kSwitch, kRepeated };
  std::string_view name;   // without dashes
  std::string_view value;  // what help calls its value; empty for a switch
  Kind kind;
  std::string_view help;
};

// One command's arguments, parsed.
class Arguments {
 public:
  // Accepts `--name value`, `--name=value` and, after `--`, positional ones
  // only; `-` is a positional one. `positional` as in Command.
  static absl::StatusOr<Arguments> Parse(std::span<const std::string> words,
                                         std::span<const Option> options,
                                         std::string_view positional);

  bool Has(std::string_view name) const { return values_.contains(name); }
  // The value of an option; empty if it was not given.
  std::string Value(std::string_view name) const;
  // Of a repeated option, in the order given.
  std::span<const std::string> Values(std::string_view name) const;

  std::span<const std::string> positionals() const { return positional_; }
  const std::string& positional(size_t i) const { return positional_[i]; }

 private:
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::vector<std::string> positional_;
};

// Exit codes of every program made with this, and of all its commands.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // "NAME: LA3 ..." is on stderr
inline constexpr int kExitUsage = 2;
// Of commands that give a verdict.
inline constexpr int kExitInvalid = 3;
inline constexpr int kExitUnverifiable = 4;

// What a code means, for help; lower case, no full stop.
struct ExitCode {
  int code;
  std::string_view meaning;
};

// What a command does: a function that returns a Status, or a StatusOr<int>
// with the exit code. A status that is not OK is printed and gives kExitFailed.
class Action {
 public:
  using Plain = absl::Status(const Arguments&);
  using WithExitCode = absl::StatusOr<int>(const Arguments&);
  // Implicit: tables of commands name the function.
  constexpr Action(Plain* plain) : plain_(plain) {}
  constexpr Action(WithExitCode* function) : with_exit_code_(function) {}

  absl::StatusOr<int> operator()(const Arguments& arguments) const;

 private:
  Plain* plain_ = nullptr;
  WithExitCode* with_exit_code_ = nullptr;
};

struct Command {
  // "image configure". Empty: what the program does without a word; it takes
  // no positional arguments, which would be taken for words.
  std::string_view name;
  // Words of help, and how many there may be: "IN.elf", "[DIR]" (may be left
  // out), "FILE..." (one or more), "[FILE...]". "a|b" is one of these words.
  std::string_view positional;
  std::string_view summary;  // one line
  // Paragraphs; one whose lines begin with a blank stays as it is.
  std::string_view description;
  std::span<const Option> options;
  Action run;
  // Beside those that every command has; may give 0 a more exact meaning.
  std::span<const ExitCode> exit_codes = {};
};

// What a program is made of. `completion` and `man` come with every program.
struct Program {
  std::string_view name;
  std::string_view summary;  // "name: what it is for"
  std::span<const Command> commands;
  std::span<const Option> common_options = {};  // Every command takes them.
};

// Runs the command that argv names; prints help for --help and for no words,
// version and commit for --version.
int Run(const Program& program, int argc, char** argv);

// Of a command whose words are right but whose values are not: Run() adds the
// usage and returns kExitUsage.
absl::Status UsageError(std::string_view text);

}  // namespace hosted
