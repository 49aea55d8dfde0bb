// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <stdio.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace cli {
namespace {

absl::Status Usage(std::string_view text) {
  return absl::InvalidArgumentError(text);
}

const Option* Find(std::span<const Option> options, std::string_view name) {
  const auto found = std::ranges::find(options, name, &Option::name);
  return found == options.end() ? nullptr : &*found;
}

size_t PositionalCount(const Command& command) {
  if (command.positional.empty()) return 0;
  return static_cast<size_t>(std::ranges::count(command.positional, ' ')) + 1;
}

std::string OptionText(const Option& option) {
  return option.value.empty()
             ? absl::StrCat("--", option.name)
             : absl::StrCat("--", option.name, " ", option.value);
}

std::string UsageLine(const Program& program, const Command& command) {
  std::string line = absl::StrCat(program.name, " ", command.name);
  for (const Option& option : command.options) {
    const std::string text = OptionText(option);
    absl::StrAppend(&line, " ",
                    option.kind == Option::Kind::kRequired
                        ? text
                        : absl::StrCat("[", text, "]"));
  }
  if (!command.positional.empty()) {
    absl::StrAppend(&line, " ", command.positional);
  }
  return line;
}

void PrintProgramHelp(const Program& program, FILE* out) {
  absl::FPrintF(out, "%s\n\n", program.summary);
  for (const Command& command : program.commands) {
    absl::FPrintF(out, "  %s %-18s %s\n", program.name, command.name,
                  command.summary);
  }
  absl::FPrintF(out, "\n%s COMMAND --help says more.\n", program.name);
}

void PrintCommandHelp(const Program& program, const Command& command) {
  absl::PrintF("%s\n\nusage: %s\n\n%s\n", command.summary,
               UsageLine(program, command), command.description);
  if (command.options.empty()) return;
  absl::PrintF("\n");
  for (const Option& option : command.options) {
    absl::PrintF("  %-24s %s\n", OptionText(option), option.help);
  }
}

// The command whose name is the first words of the command line, and how many
// words that were.
std::pair<const Command*, size_t> CommandOf(
    const Program& program, std::span<const std::string> words) {
  for (const Command& command : program.commands) {
    const std::vector<std::string> name =
        absl::StrSplit(command.name, absl::ByChar(' '));
    if (words.size() >= name.size() &&
        std::equal(name.begin(), name.end(), words.begin())) {
      return {&command, name.size()};
    }
  }
  return {nullptr, 0};
}

}  // namespace

absl::StatusOr<Arguments> Arguments::Parse(std::span<const std::string> words,
                                           std::span<const Option> options,
                                           size_t positional) {
  Arguments arguments;
  bool only_positional = false;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--" && !only_positional) {
      only_positional = true;
      continue;
    }
    if (only_positional || !word.starts_with("--")) {
      arguments.positional_.push_back(word);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(2, equals - 2);
    const Option* option = Find(options, name);
    if (option == nullptr) return Usage(absl::StrCat("unknown option ", word));
    std::string value;
    if (option->kind == Option::Kind::kSwitch) {
      if (equals != std::string::npos) {
        return Usage(absl::StrCat("--", name, " takes no value"));
      }
    } else if (equals != std::string::npos) {
      value = word.substr(equals + 1);
    } else if (i + 1 < words.size()) {
      value = words[++i];
    } else {
      return Usage(absl::StrCat("--", name, " wants a value"));
    }
    if (!arguments.values_.emplace(name, value).second) {
      return Usage(absl::StrCat("--", name, " is given twice"));
    }
  }
  for (const Option& option : options) {
    if (option.kind == Option::Kind::kRequired && !arguments.Has(option.name)) {
      return Usage(absl::StrCat("--", option.name, " is missing"));
    }
  }
  if (arguments.positional_.size() != positional) {
    return Usage(absl::StrCat("wants ", positional, " file",
                              positional == 1 ? "" : "s", ", got ",
                              arguments.positional_.size()));
  }
  return arguments;
}

std::string Arguments::Value(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  return found == values_.end() ? std::string() : found->second;
}

int Run(const Program& program, int argc, char** argv) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (words.empty()) {
    PrintProgramHelp(program, stderr);
    return kExitUsage;
  }
  const auto [command, used] = CommandOf(program, words);
  const bool help = std::ranges::any_of(words, [](const std::string& word) {
    return word == "--help" || word == "-h";
  });
  if (command == nullptr) {
    if (help || words[0] == "help") {
      PrintProgramHelp(program, stdout);
      return kExitOk;
    }
    absl::FPrintF(stderr, "%s: unknown command; --help lists them\n",
                  program.name);
    return kExitUsage;
  }
  if (help) {
    PrintCommandHelp(program, *command);
    return kExitOk;
  }
  const auto arguments =
      Arguments::Parse(std::span(words).subspan(used), command->options,
                       PositionalCount(*command));
  if (!arguments.ok()) {
    absl::FPrintF(stderr, "%s %s: %s\nusage: %s\n", program.name, command->name,
                  arguments.status().message(), UsageLine(program, *command));
    return kExitUsage;
  }
  const absl::Status status = command->run(*arguments);
  if (!status.ok()) {
    absl::FPrintF(stderr, "%s: %s\n", program.name, status.message());
    return kExitFailed;
  }
  return kExitOk;
}

}  // namespace cli
