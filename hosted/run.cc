// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "base/version.h"
#include "hosted/arguments.h"
#include "hosted/completion.h"
#include "hosted/help.h"
#include "hosted/text.h"

namespace hosted {
namespace {

absl::Status BuiltIn(const Arguments&) {
  return absl::InternalError("a built-in command has no function");
}

constexpr std::string_view kUsagePayload = "forelock/usage";

int FailUsage(const Program& program, const Command& command,
              std::string_view text) {
  fflush(stdout);
  absl::FPrintF(stderr, "%s: %s\nusage: %s\n", NameOf(program, command),
                Printable(text), UsageLine(program, command));
  return kExitUsage;
}

// Every program has these; Run() itself is what they do.
constexpr std::string_view kCompletion = "completion";
constexpr std::string_view kMan = "man";
constexpr Command kBuiltIn[] = {
    {kCompletion,
     "bash|zsh|fish",
     "print a completion script for a shell",
     "Prints a script that completes commands, options and file names.\n"
     "For bash, put it into the folder of bash-completion or source it; for\n"
     "zsh, into a folder of $fpath with a leading underscore in its name; for\n"
     "fish, into ~/.config/fish/completions.",
     {},
     &BuiltIn},
    {kMan,
     "[WORD...]",
     "print a manual page, for man -l -",
     "Prints the manual page of the command that the words name, or of the\n"
     "program: the text of --help as man(7) source.",
     {},
     &BuiltIn},
};

// The command whose name is the most first words of the command line, and how
// many words that is.
std::pair<const Command*, size_t> CommandOf(
    const Program& program, std::span<const std::string> words) {
  std::pair<const Command*, size_t> best = {nullptr, 0};
  for (const Command& command : program.commands) {
    if (command.name.empty()) {
      if (best.first == nullptr) best.first = &command;
      continue;
    }
    const std::vector<std::string> name =
        absl::StrSplit(command.name, absl::ByChar(' '));
    if (name.size() > best.second && words.size() >= name.size() &&
        std::equal(name.begin(), name.end(), words.begin())) {
      best = {&command, name.size()};
    }
  }
  return best;
}

// Lines after the first are indented: what a file or a peer had a say in cannot
// look like a message of its own.
std::string PrintableLines(std::string_view text) {
  std::string out;
  for (const std::string_view line : absl::StrSplit(text, '\n')) {
    absl::StrAppend(&out, out.empty() ? "" : "\n  ", Printable(line));
  }
  return out;
}

absl::StatusOr<int> Print(const std::string& text) {
  absl::PrintF("%s", text);
  return kExitOk;
}

absl::StatusOr<int> RunMan(const Program& program, const Arguments& arguments) {
  const auto words = arguments.positionals();
  if (words.empty()) return Print(ManualPage(program, nullptr));
  const auto [command, used] = CommandOf(program, words);
  if (used == 0 || used != words.size()) {
    return absl::NotFoundError("no such command; --help lists them");
  }
  return Print(ManualPage(program, command));
}

absl::StatusOr<int> RunCommand(const Program& program, const Command& command,
                               const Arguments& arguments) {
  if (command.name == kMan) return RunMan(program, arguments);
  if (command.name == kCompletion) {
    const auto script = CompletionScript(program, arguments.positional(0));
    if (!script.ok()) return script.status();
    return Print(*script);
  }
  return command.run(arguments);
}

// Help for the first words, which are a group's or nobody's.
int RunHelp(const Program& program, std::span<const std::string> words) {
  if (!words.empty() && words[0] == "help") words = words.subspan(1);
  const auto first_option = std::ranges::find_if(
      words, [](const std::string& word) { return word.starts_with("-"); });
  words = words.first(static_cast<size_t>(first_option - words.begin()));
  const auto [command, used] = CommandOf(program, words);
  const auto group = CommandsUnder(program, words);
  if (group.empty() && used == 0) {
    absl::FPrintF(stderr, "%s: unknown command; --help lists them\n",
                  program.name);
    return kExitUsage;
  }
  absl::PrintF("%s", used != 0 ? CommandHelp(program, *command)
                               : ProgramHelp(program, group));
  return kExitOk;
}

bool AsksForHelp(std::span<const std::string> words) {
  for (const std::string& word : words) {
    if (word == "--") return false;
    if (word == "--help" || word == "-h") return true;
  }
  return !words.empty() && words[0] == "help";
}

int RunWords(const Program& program, std::span<const std::string> words) {
  if (AsksForHelp(words)) return RunHelp(program, words);
  // Not where a command stands: --version may be an option of its own.
  if (!words.empty() && words[0] == "--version") {
    absl::PrintF("%s %s\n", program.name, base::VersionText());
    return kExitOk;
  }
  const auto [command, used] = CommandOf(program, words);
  // A word that is no command's is not an argument of the one without a name.
  const bool stray = used == 0 && !words.empty() && !words[0].starts_with("-");
  if (command == nullptr || stray) {
    const auto group = CommandsUnder(program, words.first(1));
    if (!group.empty()) {
      absl::FPrintF(stderr, "%s", ProgramHelp(program, group));
      return kExitUsage;
    }
    absl::FPrintF(stderr, "%s: unknown command %s; --help lists them\n",
                  program.name, Printable(words[0]));
    return kExitUsage;
  }
  std::vector<Option> options(command->options.begin(), command->options.end());
  options.insert(options.end(), program.common_options.begin(),
                 program.common_options.end());
  const auto arguments =
      Arguments::Parse(words.subspan(used), options, command->positional);
  if (!arguments.ok()) {
    return FailUsage(program, *command, arguments.status().message());
  }
  const absl::StatusOr<int> code = RunCommand(program, *command, *arguments);
  if (!code.ok() && code.status().GetPayload(kUsagePayload)) {
    return FailUsage(program, *command, code.status().message());
  }
  if (!code.ok()) {
    fflush(stdout);
    absl::FPrintF(stderr, "%s: %s\n", program.name,
                  PrintableLines(code.status().message()));
    return kExitFailed;
  }
  return *code;
}

}  // namespace

int Run(const Program& program, int argc, char** argv) {
  std::vector<Command> commands(program.commands.begin(),
                                program.commands.end());
  commands.insert(commands.end(), std::begin(kBuiltIn), std::end(kBuiltIn));
  Program whole = program;
  whole.commands = commands;
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  if (words.empty() && CommandOf(program, words).first == nullptr) {
    absl::FPrintF(stderr, "%s", ProgramHelp(whole, CommandsUnder(whole, {})));
    return kExitUsage;
  }
  const int code = RunWords(whole, words);
  // A verdict that did not reach its reader is no success.
  if (fflush(stdout) != 0 || ferror(stdout) != 0) {
    absl::FPrintF(stderr, "%s: cannot write the output: %s\n", program.name,
                  strerror(errno));
    return kExitFailed;
  }
  return code;
}

absl::Status UsageError(std::string_view text) {
  absl::Status status = absl::InvalidArgumentError(text);
  status.SetPayload(kUsagePayload, absl::Cord());
  return status;
}

}  // namespace hosted
