// SPDX-License-Identifier: Apache-2.0
#include "hosted/help.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hosted {
namespace {

constexpr ExitCode kExitCodes[] = {
    {kExitOk, "done"},
    {kExitFailed, "failed; the reason is on standard error"},
    {kExitUsage, "wrong usage"},
};

// The program's codes, with the command's own in their places.
std::vector<ExitCode> ExitCodesOf(std::span<const ExitCode> own) {
  std::vector<ExitCode> codes(own.begin(), own.end());
  for (const ExitCode& common : kExitCodes) {
    if (std::ranges::find(codes, common.code, &ExitCode::code) == codes.end()) {
      codes.push_back(common);
    }
  }
  std::ranges::sort(codes, {}, &ExitCode::code);
  return codes;
}

std::string OptionText(const Option& option) {
  return option.value.empty()
             ? absl::StrCat("--", option.name)
             : absl::StrCat("--", option.name, " ", option.value);
}

std::string Repeatable(const Option& option) {
  return option.kind == Option::Kind::kRepeated
             ? absl::StrCat(option.help, "; may be repeated")
             : std::string(option.help);
}

// A paragraph that is written as one line, in lines of a terminal; what is
// broken by hand or indented stays as it is.
std::string Wrapped(std::string_view text) {
  constexpr size_t kLongest = 79, kWidth = 72;
  std::vector<std::string> lines;
  for (const std::string_view line : absl::StrSplit(text, '\n')) {
    if (line.size() <= kLongest || line.starts_with(' ')) {
      lines.emplace_back(line);
      continue;
    }
    std::string filled;
    for (const std::string_view word : absl::StrSplit(line, ' ')) {
      if (!filled.empty() && filled.size() + 1 + word.size() > kWidth) {
        lines.push_back(std::exchange(filled, {}));
      }
      absl::StrAppend(&filled, filled.empty() ? "" : " ", word);
    }
    lines.push_back(std::move(filled));
  }
  return absl::StrJoin(lines, "\n");
}

std::vector<Option> OptionsOf(const Program& program, const Command& command) {
  std::vector<Option> options(command.options.begin(), command.options.end());
  options.insert(options.end(), program.common_options.begin(),
                 program.common_options.end());
  return options;
}

std::string_view WithoutName(const Program& program) {
  std::string_view summary = program.summary;
  if (absl::ConsumePrefix(&summary, program.name)) {
    absl::ConsumePrefix(&summary, ": ");
  }
  return summary;
}

std::string NameAndPositional(const Program& program, const Command& command) {
  return absl::StrCat(NameOf(program, command),
                      command.positional.empty() ? "" : " ",
                      command.positional);
}

const Command* Nameless(const Program& program) {
  const auto found =
      std::ranges::find(program.commands, std::string_view(), &Command::name);
  return found == program.commands.end() ? nullptr : &*found;
}

}  // namespace

std::string NameOf(const Program& program, const Command& command) {
  return absl::StrCat(program.name, command.name.empty() ? "" : " ",
                      command.name);
}

std::string UsageLine(const Program& program, const Command& command) {
  std::string line = NameOf(program, command);
  for (const Option& option : OptionsOf(program, command)) {
    const std::string text = OptionText(option);
    switch (option.kind) {
      case Option::Kind::kRequired:
        absl::StrAppend(&line, " ", text);
        break;
      case Option::Kind::kOptional:
      case Option::Kind::kSwitch:
        absl::StrAppend(&line, " [", text, "]");
        break;
      case Option::Kind::kRepeated:
        absl::StrAppend(&line, " [", text, "]...");
        break;
    }
  }
  if (!command.positional.empty()) {
    absl::StrAppend(&line, " ", command.positional);
  }
  return line;
}

std::vector<const Command*> CommandsUnder(const Program& program,
                                          std::span<const std::string> words) {
  const std::string prefix =
      words.empty() ? "" : absl::StrCat(absl::StrJoin(words, " "), " ");
  std::vector<const Command*> found;
  for (const Command& command : program.commands) {
    if (command.name.starts_with(prefix)) found.push_back(&command);
  }
  return found;
}

std::string ProgramHelp(const Program& program,
                        std::span<const Command* const> commands) {
  size_t width = 0;
  for (const Command* command : commands) {
    width = std::max(width, NameAndPositional(program, *command).size());
  }
  const Command* nameless = Nameless(program);
  std::string text = nameless != nullptr ? CommandHelp(program, *nameless)
                                         : std::string(program.summary);
  absl::StrAppend(&text, nameless != nullptr ? "\nalso:\n" : "\n\n");
  for (const Command* command : commands) {
    if (command == nameless) continue;
    const std::string name = NameAndPositional(program, *command);
    absl::StrAppend(&text, "  ", name,
                    std::string(width - name.size() + 2, ' '), command->summary,
                    "\n");
  }
  const std::string version =
      absl::StrCat(program.name, " --version prints version and commit.\n");
  if (nameless != nullptr) return absl::StrCat(text, "\n", version);
  absl::StrAppend(&text, "\nexit status:\n");
  for (const ExitCode& code : kExitCodes) {
    absl::StrAppendFormat(&text, "  %d  %s\n", code.code, code.meaning);
  }
  absl::StrAppend(&text, "\n", program.name,
                  " COMMAND --help says more, also of other statuses.\n",
                  version);
  return text;
}

std::string CommandHelp(const Program& program, const Command& command) {
  std::string text = absl::StrCat(
      command.summary, "\n\nusage: ", UsageLine(program, command), "\n");
  if (!command.description.empty()) {
    absl::StrAppend(&text, "\n", Wrapped(command.description), "\n");
  }
  const std::vector<Option> options = OptionsOf(program, command);
  if (!options.empty()) absl::StrAppend(&text, "\n");
  for (const Option& option : options) {
    absl::StrAppendFormat(&text, "  %-24s %s\n", OptionText(option),
                          Repeatable(option));
  }
  absl::StrAppend(&text, "\nexit status:\n");
  for (const ExitCode& code : ExitCodesOf(command.exit_codes)) {
    absl::StrAppendFormat(&text, "  %d  %s\n", code.code, code.meaning);
  }
  return text;
}

namespace {

// In roff a backslash, a leading dot or quote, and a hyphen that is to be
// copied have a meaning of their own.
std::string Roff(std::string_view text) {
  std::string out;
  for (const std::string_view line : absl::StrSplit(text, '\n')) {
    std::string escaped = absl::StrReplaceAll(
        line, {{"\\", "\\e"}, {"-", "\\-"}, {"'", "\\(aq"}});
    if (escaped.starts_with('.')) escaped.insert(0, "\\&");
    absl::StrAppend(&out, out.empty() ? "" : "\n", escaped);
  }
  return out;
}

std::string Paragraphs(std::string_view text) {
  std::string out;
  for (const std::string_view paragraph : absl::StrSplit(text, "\n\n")) {
    if (!out.empty()) absl::StrAppend(&out, ".PP\n");
    const bool as_it_is = paragraph.starts_with(' ');
    if (as_it_is) absl::StrAppend(&out, ".EX\n");
    absl::StrAppend(&out, Roff(paragraph), "\n");
    if (as_it_is) absl::StrAppend(&out, ".EE\n");
  }
  return out;
}

void AppendItem(std::string* page, std::string_view tag,
                std::string_view text) {
  absl::StrAppend(page, ".TP\n\\fB", Roff(tag), "\\fR\n", Roff(text), "\n");
}

void AppendExitCodes(std::string* page, std::span<const ExitCode> own) {
  absl::StrAppend(page, ".SH EXIT STATUS\n");
  for (const ExitCode& code : ExitCodesOf(own)) {
    AppendItem(page, absl::StrCat(code.code), code.meaning);
  }
}

std::string Head(const Program& program, const Command* command,
                 std::string_view summary) {
  const std::string name = ManualPageName(program, command);
  return absl::StrCat(".TH ", Roff(absl::AsciiStrToUpper(name)),
                      " 1 \"\" \"Forelock\" \"User Commands\"\n.SH NAME\n",
                      Roff(name), " \\- ", Roff(summary), "\n.SH SYNOPSIS\n");
}

// Synopsis, description and options.
void AppendCommand(std::string* page, const Program& program,
                   const Command& command) {
  absl::StrAppend(page, Roff(UsageLine(program, command)), "\n");
  if (!command.description.empty()) {
    absl::StrAppend(page, ".SH DESCRIPTION\n", Paragraphs(command.description));
  }
  const std::vector<Option> options = OptionsOf(program, command);
  if (!options.empty()) absl::StrAppend(page, ".SH OPTIONS\n");
  for (const Option& option : options) {
    AppendItem(page, OptionText(option), Repeatable(option));
  }
}

}  // namespace

std::string ManualPageName(const Program& program, const Command* command) {
  if (command == nullptr) return std::string(program.name);
  return absl::StrCat(program.name, "-",
                      absl::StrReplaceAll(command->name, {{" ", "-"}}));
}

std::string ManualPage(const Program& program, const Command* command) {
  if (command == nullptr) {
    std::string page = Head(program, nullptr, WithoutName(program));
    const Command* nameless = Nameless(program);
    if (nameless != nullptr) {
      AppendCommand(&page, program, *nameless);
    } else {
      absl::StrAppend(&page, "\\fB", Roff(program.name),
                      "\\fR COMMAND [OPTION...] [ARGUMENT...]\n");
    }
    absl::StrAppend(&page, ".SH COMMANDS\n");
    for (const Command& each : program.commands) {
      if (&each == nameless) continue;
      AppendItem(&page, NameAndPositional(program, each), each.summary);
    }
    AppendItem(&page, absl::StrCat(program.name, " --version"),
               "print version and commit");
    if (nameless == nullptr && !program.common_options.empty()) {
      absl::StrAppend(&page, ".SH OPTIONS OF EVERY COMMAND\n");
    }
    for (const Option& option : program.common_options) {
      if (nameless != nullptr) break;  // They stand with its own.
      AppendItem(&page, OptionText(option), option.help);
    }
    AppendExitCodes(&page, nameless != nullptr ? nameless->exit_codes
                                               : std::span<const ExitCode>());
    return page;
  }
  std::string page = Head(program, command, command->summary);
  AppendCommand(&page, program, *command);
  AppendExitCodes(&page, command->exit_codes);
  absl::StrAppend(&page, ".SH SEE ALSO\n.BR ", Roff(program.name), " (1)\n");
  return page;
}

}  // namespace hosted
