// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/arguments.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace verifier {
namespace {

std::vector<std::string_view> Words(std::string_view text) {
  return absl::StrSplit(text, ' ', absl::SkipEmpty());
}

const Option* FindOption(const Command& command, std::string_view name) {
  for (const std::vector<Option>* options :
       {&command.options, &CommonOptions()}) {
    for (const Option& option : *options) {
      if (option.name == name) return &option;
    }
  }
  return nullptr;
}

const Command* FindCommand(std::span<const Command> commands,
                           const std::vector<std::string>& words) {
  for (const Command& command : commands) {
    const auto wanted = Words(command.words);
    if (words.size() >= wanted.size() &&
        std::equal(wanted.begin(), wanted.end(), words.begin())) {
      return &command;
    }
  }
  return nullptr;
}

std::string Usage(const Command& command) {
  std::string text = absl::StrCat("forelock-verifier ", command.words);
  if (!command.operands.empty()) absl::StrAppend(&text, " ", command.operands);
  for (const Option& option : command.options) {
    absl::StrAppend(&text, " [--", option.name, option.value.empty() ? "" : " ",
                    option.value, "]");
  }
  return text;
}

// "--name=value" to name and value; otherwise all of it is the name.
struct Written {
  std::string_view name;
  std::string_view value;
  bool has_value;
};
Written Split(std::string_view argument) {
  argument.remove_prefix(2);
  const size_t equals = argument.find('=');
  if (equals == std::string_view::npos) return {argument, "", false};
  return {argument.substr(0, equals), argument.substr(equals + 1), true};
}

// Which options take a value depends on the command; any command's will do to
// tell words from values.
bool TakesValue(std::span<const Command> commands, std::string_view name) {
  for (const Command& command : commands) {
    const Option* option = FindOption(command, name);
    if (option != nullptr && !option->value.empty()) return true;
  }
  return false;
}

}  // namespace

std::string Arguments::Get(std::string_view name) const {
  const auto found = options.find(name);
  return found == options.end() ? "" : found->second;
}

const std::vector<Option>& CommonOptions() {
  static const auto& options = *new std::vector<Option>{
      {"state", "DIR",
       "the state folder; else $FORELOCK_VERIFIER_STATE, else "
       "/var/lib/forelock-verifier"},
  };
  return options;
}

absl::StatusOr<Parsed> ParseArguments(std::span<const Command> commands,
                                      std::span<char* const> argv) {
  Parsed parsed{};
  std::vector<std::string> words;
  for (size_t i = 1; i < argv.size(); ++i) {
    const std::string_view argument = argv[i];
    // "-" alone is standard input.
    if (!argument.starts_with("--")) {
      words.emplace_back(argument);
      continue;
    }
    const Written written = Split(argument);
    std::string value(written.value);
    if (TakesValue(commands, written.name) && !written.has_value) {
      if (++i == argv.size()) {
        return absl::InvalidArgumentError(
            absl::StrCat(argument, " needs a value"));
      }
      value = argv[i];
    }
    if (!parsed.arguments.options.emplace(written.name, value).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", written.name, " is there twice"));
    }
  }
  parsed.command = FindCommand(commands, words);
  if (parsed.command == nullptr) {
    return absl::InvalidArgumentError(
        words.empty() ? "no command"
                      : absl::StrCat("no such command: ", words[0]));
  }
  for (const auto& [name, value] : parsed.arguments.options) {
    const Option* option = FindOption(*parsed.command, name);
    if (option == nullptr || (option->value.empty() && !value.empty())) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--", name, " does not fit; usage: ", Usage(*parsed.command)));
    }
  }
  const auto skip = static_cast<ptrdiff_t>(Words(parsed.command->words).size());
  parsed.arguments.operands.assign(words.begin() + skip, words.end());
  if (parsed.arguments.operands.size() !=
      Words(parsed.command->operands).size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("usage: ", Usage(*parsed.command)));
  }
  return parsed;
}

std::string HelpFor(std::span<const Command> commands,
                    std::span<char* const> argv) {
  std::vector<std::string_view> words;
  for (size_t i = 1; i < argv.size(); ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("-") || word == "help") break;
    words.push_back(word);
  }
  std::vector<Command> chosen;
  for (const Command& command : commands) {
    const auto of_command = Words(command.words);
    if (words.size() <= of_command.size() &&
        std::equal(words.begin(), words.end(), of_command.begin())) {
      chosen.push_back(command);
    }
  }
  return chosen.empty() ? HelpText(commands) : HelpText(chosen);
}

std::string HelpText(std::span<const Command> commands) {
  std::string text =
      "forelock-verifier: attests VMs and releases their secrets\n\n";
  for (const Command& command : commands) {
    absl::StrAppend(&text, Usage(command), "\n    ", command.help, "\n");
    for (const Option& option : command.options) {
      absl::StrAppendFormat(&text, "    --%s%s%s: %s\n", option.name,
                            option.value.empty() ? "" : " ", option.value,
                            option.help);
    }
  }
  absl::StrAppend(&text, "\nEvery command takes:\n");
  for (const Option& option : CommonOptions()) {
    absl::StrAppendFormat(&text, "    --%s %s: %s\n", option.name, option.value,
                          option.help);
  }
  absl::StrAppend(&text,
                  "\nExit status: 0 done; 1 failed, the reason is on standard "
                  "error; 2 wrong usage.\n");
  return text;
}

}  // namespace verifier
