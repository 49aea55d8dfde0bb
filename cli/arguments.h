// SPDX-License-Identifier: Apache-2.0
//
// Command lines of the shape PROGRAM WORD... [--name VALUE] [--switch] [FILE].
// Each command declares what it takes; anything else is an error that says so.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cli {

struct Option {
  enum class Kind : uint8_t { kRequired, kOptional, kSwitch };
  std::string_view name;   // without dashes
  std::string_view value;  // what help calls its value; empty for a switch
  Kind kind;
  std::string_view help;
};

// One command's arguments, parsed.
class Arguments {
 public:
  // Accepts `--name value`, `--name=value` and, after `--`, positional ones
  // only. The number of positional arguments must be `positional`.
  static absl::StatusOr<Arguments> Parse(std::span<const std::string> words,
                                         std::span<const Option> options,
                                         size_t positional);

  bool Has(std::string_view name) const {
    return values_.contains(std::string(name));
  }
  // The value of an option; empty if it was not given.
  std::string Value(std::string_view name) const;
  const std::string& positional(size_t i) const { return positional_[i]; }

 private:
  std::map<std::string, std::string> values_;
  std::vector<std::string> positional_;
};

struct Command {
  std::string_view name;        // "image configure"
  std::string_view positional;  // "IN.elf", for help; words are counted
  std::string_view summary;     // one line
  std::string_view description;
  std::span<const Option> options;
  absl::Status (*run)(const Arguments& arguments);
};

// What a program is made of.
struct Program {
  std::string_view name;
  std::string_view summary;
  std::span<const Command> commands;
};

// Exit codes of every program made with this.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;  // "NAME: LA3: ..." is on stderr
inline constexpr int kExitUsage = 2;

// Runs the command that argv names; prints help for --help and for no words.
int Run(const Program& program, int argc, char** argv);

}  // namespace cli
