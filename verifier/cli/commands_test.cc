// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/commands.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hosted/arguments.h"

namespace verifier {
namespace {

int RunWith(std::vector<std::string> words) {
  std::vector<char*> argv = {nullptr};
  for (std::string& word : words) argv.push_back(word.data());
  return hosted::Run(VerifierProgram(), static_cast<int>(argv.size()),
                     argv.data());
}

TEST(Commands, WrongUsageIsRefusedBeforeAnythingIsOpened) {
  const std::vector<std::string> rows[] = {
      {},
      {"dance"},
      {"policy"},
      {"policy", "add"},
      {"policy", "add", "a", "b"},
      {"pin", "--emulated"},
      {"pin", "--state"},
      {"pin", "--state", "a", "--state", "b"},
      {"pin", "--unknown"},
      {"secret", "add", "p"},
      {"secret", "add", "p", "--file", "f", "--emulated=yes"},
      {"secret", "add-disk", "p", "--key-file", "f"},
      {"secret", "add-disk", "p", "--key-file", "f", "--header-length", "9"},
      {"secret", "add-disk", "p", "--key-file", "f", "--header-length", "9",
       "--header-sha256", std::string(64, '0'), "--untested"},
      {"secret", "add-disk", "p", "--key-file", "f", "--header-length", "9",
       "--header-sha256", std::string(64, '0'), "--memory", "512"},
      {"secret", "add-disk", "p", "--key-file", "f", "--device", "d",
       "--memory", "0"},
      {"audit", "show", "not-hex"},
      {"audit", "list", "--limit", "0"},
      {"serve", "--listen", "nowhere"},
      {"roots", "remove", "abc"},
  };
  for (const auto& words : rows) {
    EXPECT_EQ(RunWith(words), hosted::kExitUsage)
        << testing::PrintToString(words);
  }
}

TEST(Commands, FailuresAndHelp) {
  EXPECT_EQ(RunWith({"pin", "--state", "/nowhere"}), hosted::kExitFailed);
  EXPECT_EQ(RunWith({"secret", "list", "--state=/nowhere"}),
            hosted::kExitFailed);
  for (const hosted::Command& command : VerifierProgram().commands) {
    std::vector<std::string> words = {"--help"};
    const std::string name(command.name);
    const size_t space = name.find(' ');
    if (space != std::string::npos) {
      words.insert(words.begin(), name.substr(space + 1));
    }
    words.insert(words.begin(), name.substr(0, space));
    EXPECT_EQ(RunWith(words), hosted::kExitOk) << name;
  }
}

}  // namespace
}  // namespace verifier
