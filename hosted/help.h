// SPDX-License-Identifier: Apache-2.0
//
// One text of a program or a command, as --help and as a manual page.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hosted/arguments.h"

namespace hosted {

// "forelock image show"; the program's name alone if the command has none.
std::string NameOf(const Program& program, const Command& command);
// "forelock image show IMAGE", with the options in it.
std::string UsageLine(const Program& program, const Command& command);

// Commands whose names begin with `words`; help for a group of commands.
std::vector<const Command*> CommandsUnder(const Program& program,
                                          std::span<const std::string> words);

std::string CommandHelp(const Program& program, const Command& command);
// A table of `commands`.
std::string ProgramHelp(const Program& program,
                        std::span<const Command* const> commands);

// man(7) source; without a command that of the program. The page of a command
// is called PROGRAM-WORD-WORD.
std::string ManualPage(const Program& program, const Command* command);
std::string ManualPageName(const Program& program, const Command* command);

}  // namespace hosted
