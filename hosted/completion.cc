// SPDX-License-Identifier: Apache-2.0
#include "hosted/completion.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace hosted {
namespace {

using Words = std::set<std::string>;

// "a|b" in lower case is a choice of words; everything else may be a file.
std::vector<std::string> ChoicesOf(std::string_view value) {
  if (std::ranges::any_of(value, absl::ascii_isupper) ||
      value.find('|') == std::string_view::npos) {
    return {};
  }
  return absl::StrSplit(value, '|');
}

bool IsFile(std::string_view value) {
  return !value.empty() && ChoicesOf(value).empty();
}

// What the scripts' cases are made of.
struct Table {
  // Beginning of a command ("" too) -> what may come next.
  std::map<std::string, Words> next;
  // Whole commands.
  std::map<std::string, std::vector<Option>> options;
  std::map<std::string, std::string_view> positional;
};

Table TableOf(const Program& program) {
  Table table;
  for (const Command& command : program.commands) {
    std::string prefix;
    for (const std::string_view word :
         absl::StrSplit(command.name, ' ', absl::SkipEmpty())) {
      table.next[prefix].emplace(word);
      absl::StrAppend(&prefix, prefix.empty() ? "" : " ", word);
    }
    table.next[prefix];  // Known, though nothing may come next.
    std::vector<Option>& options = table.options[prefix];
    options.assign(command.options.begin(), command.options.end());
    options.insert(options.end(), program.common_options.begin(),
                   program.common_options.end());
    table.positional[prefix] = command.positional;
  }
  return table;
}

std::string Quoted(std::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// The patterns of every beginning of a command but the empty one.
std::string Beginnings(const Table& table, std::string_view separator) {
  std::vector<std::string> quoted;
  for (const auto& [command, next] : table.next) {
    if (!command.empty()) quoted.push_back(Quoted(command));
  }
  return absl::StrJoin(quoted, separator);
}

// bash and zsh differ in how words are counted and offered.
struct Dialect {
  std::string_view offer_before, offer_after, files;
};

std::string Cases(const Table& table, const Dialect& dialect) {
  const auto offer = [&](std::string_view words) {
    return absl::StrCat(dialect.offer_before, words, dialect.offer_after);
  };
  std::string text = "  case \"$command $previous\" in\n";
  for (const auto& [command, options] : table.options) {
    for (const Option& option : options) {
      if (option.kind == Option::Kind::kSwitch) continue;
      absl::StrAppend(&text, "    ",
                      Quoted(absl::StrCat(command, " --", option.name)), ") ",
                      IsFile(option.value)
                          ? std::string(dialect.files)
                          : offer(absl::StrJoin(ChoicesOf(option.value), " ")),
                      "; return ;;\n");
    }
  }
  absl::StrAppend(&text, "  esac\n  case \"$command\" in\n");
  for (const auto& [command, next] : table.next) {
    std::vector<std::string> words(next.begin(), next.end());
    const auto options = table.options.find(command);
    std::string_view positional;
    if (options != table.options.end()) {
      for (const Option& option : options->second) {
        words.push_back(absl::StrCat("--", option.name));
      }
      words.push_back("--help");
      positional = table.positional.at(command);
      const auto choices = ChoicesOf(positional);
      words.insert(words.end(), choices.begin(), choices.end());
    }
    if (command.empty()) words.push_back("--version");
    absl::StrAppend(&text, "    ", Quoted(command), ") ",
                    IsFile(positional) ? absl::StrCat(dialect.files, "; ") : "",
                    offer(absl::StrJoin(words, " ")), " ;;\n");
  }
  absl::StrAppend(&text, "  esac\n");
  return text;
}

std::string Function(const Program& program) {
  return absl::StrCat("_", absl::StrReplaceAll(program.name, {{"-", "_"}}));
}

std::string Bash(const Program& program) {
  const Table table = TableOf(program);
  const std::string function = Function(program);
  return absl::StrCat(
      "# bash completion for ", program.name, "\n", function, "() {\n",
      "  local current=${COMP_WORDS[COMP_CWORD]}\n"
      "  local previous=${COMP_WORDS[COMP_CWORD-1]} command= next i\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; ++i)); do\n"
      "    next=\"${command:+$command }${COMP_WORDS[i]}\"\n"
      "    case \"$next\" in\n      ",
      Beginnings(table, "|"),
      ") command=$next ;;\n"
      "      *) break ;;\n    esac\n  done\n",
      Cases(table, {.offer_before = "COMPREPLY+=($(compgen -W '",
                    .offer_after = "' -- \"$current\"))",
                    .files = "COMPREPLY+=($(compgen -f -- \"$current\"))"}),
      "}\ncomplete -o filenames -F ", function, " ", program.name, "\n");
}

std::string Zsh(const Program& program) {
  const Table table = TableOf(program);
  const std::string function = Function(program);
  return absl::StrCat("#compdef ", program.name, "\n", function, "() {\n",
                      "  local previous=$words[CURRENT-1] command= next\n"
                      "  integer i\n"
                      "  for ((i = 2; i < CURRENT; ++i)); do\n"
                      "    next=\"${command:+$command }$words[i]\"\n"
                      "    case \"$next\" in\n      ",
                      Beginnings(table, "|"),
                      ") command=$next ;;\n"
                      "      *) break ;;\n    esac\n  done\n",
                      Cases(table, {.offer_before = "compadd -- ",
                                    .offer_after = "",
                                    .files = "_files"}),
                      "}\n", function, " \"$@\"\n");
}

std::string FishText(std::string_view text) {
  return absl::StrCat(
      "'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

std::string Fish(const Program& program) {
  const Table table = TableOf(program);
  const std::string function = absl::StrCat("_", Function(program));
  std::string text =
      absl::StrCat("# fish completion for ", program.name, "\nfunction ",
                   function, "_at\n", "  set -l known ", Beginnings(table, " "),
                   "\n"
                   "  set -l command\n"
                   "  for word in (commandline -opc)[2..-1]\n"
                   "    set -l next (string trim \"$command $word\")\n"
                   "    contains -- $next $known; or break\n"
                   "    set command $next\n"
                   "  end\n"
                   "  test \"$command\" = \"$argv\"\n"
                   "end\n"
                   "complete -c ",
                   program.name, " -f\n");
  absl::StrAppend(&text, "complete -c ", program.name, " -n ",
                  FishText(absl::StrCat(function, "_at ")),
                  " -l version -d 'print version and commit'\n");
  for (const auto& [command, next] : table.next) {
    const std::string start =
        absl::StrCat("complete -c ", program.name, " -n ",
                     FishText(absl::StrCat(function, "_at ", command)));
    if (!next.empty()) {
      absl::StrAppend(&text, start, " -a ", FishText(absl::StrJoin(next, " ")),
                      "\n");
    }
    const auto options = table.options.find(command);
    if (options == table.options.end()) continue;
    for (const Option& option : options->second) {
      absl::StrAppend(&text, start, " -l ", option.name);
      const auto choices = ChoicesOf(option.value);
      if (!choices.empty()) {
        absl::StrAppend(&text, " -x -a ",
                        FishText(absl::StrJoin(choices, " ")));
      } else if (IsFile(option.value)) {
        absl::StrAppend(&text, " -r -F");
      }
      absl::StrAppend(&text, " -d ", FishText(option.help), "\n");
    }
    const std::string_view positional = table.positional.at(command);
    const auto choices = ChoicesOf(positional);
    if (!choices.empty()) {
      absl::StrAppend(&text, start, " -a ",
                      FishText(absl::StrJoin(choices, " ")), "\n");
    } else if (IsFile(positional)) {
      absl::StrAppend(&text, start, " -F\n");
    }
  }
  return text;
}

}  // namespace

absl::StatusOr<std::string> CompletionScript(const Program& program,
                                             std::string_view shell) {
  if (shell == "bash") return Bash(program);
  if (shell == "zsh") return Zsh(program);
  if (shell == "fish") return Fish(program);
  return UsageError(
      absl::StrCat("no completion for ", shell, "; bash, zsh and fish"));
}

}  // namespace hosted
