// SPDX-License-Identifier: Apache-2.0
//
// The command line of forelock-verifier: words, `--name value`, `--name=value`.
// One table of commands is both the parser's and --help's source.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace verifier {

struct Arguments {
  std::vector<std::string> operands;
  // Without the dashes; a flag that takes no value maps to "".
  std::map<std::string, std::string, std::less<>> options;

  bool Has(std::string_view name) const { return options.contains(name); }
  // Empty if absent.
  std::string Get(std::string_view name) const;
};

struct Option {
  std::string_view name;
  std::string_view value;  // Its placeholder in --help; empty: takes none.
  std::string_view help;
};

struct Command {
  std::string_view words;     // "secret add-disk"
  std::string_view operands;  // "PATH"; as many operands as words in it.
  std::string_view help;
  std::vector<Option> options;
  int (*run)(const Arguments&);
};

// Options that every command takes.
const std::vector<Option>& CommonOptions();

struct Parsed {
  const Command* command;
  Arguments arguments;
};
// InvalidArgument, with a sentence for the user.
absl::StatusOr<Parsed> ParseArguments(std::span<const Command> commands,
                                      std::span<char* const> argv);

// Of the commands that begin with argv's words; of all if there is none.
std::string HelpFor(std::span<const Command> commands,
                    std::span<char* const> argv);

std::string HelpText(std::span<const Command> commands);

}  // namespace verifier
