// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <cstdio>
#include <span>
#include <string>
#include <string_view>

#include "verifier/cli/arguments.h"
#include "verifier/cli/commands.h"
#include "verifier/cli/common.h"
#include "verifier/cli/private_memory.h"

int main(int argc, char** argv) {
  if (!verifier::KeepMemoryPrivate()) {
    perror("forelock-verifier: cannot keep its memory private");
    return verifier::kFailed;
  }
  // Nothing this program makes is for others (the database's own files too).
  umask(S_IRWXG | S_IRWXO);
  const std::span<char* const> arguments(argv, static_cast<size_t>(argc));
  for (const std::string_view argument : arguments.subspan(argc > 0 ? 1 : 0)) {
    if (argument == "--help" || argument == "-h" || argument == "help") {
      printf("%s", verifier::HelpFor(verifier::Commands(), arguments).c_str());
      return verifier::kDone;
    }
  }
  const auto parsed = verifier::ParseArguments(verifier::Commands(), arguments);
  if (!parsed.ok()) {
    const std::string message(parsed.status().message());
    return verifier::FailUsage(message + "; see forelock-verifier --help");
  }
  return parsed->command->run(parsed->arguments);
}
