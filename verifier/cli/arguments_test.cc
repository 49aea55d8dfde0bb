// SPDX-License-Identifier: Apache-2.0
#include "verifier/cli/arguments.h"

#include <initializer_list>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "verifier/cli/commands.h"

namespace verifier {
namespace {

absl::StatusOr<Parsed> Parse(std::initializer_list<std::string> words) {
  std::vector<std::string> storage = {"forelock-verifier"};
  storage.insert(storage.end(), words);
  std::vector<char*> argv;
  for (std::string& word : storage) argv.push_back(word.data());
  return ParseArguments(Commands(), argv);
}

TEST(Arguments, WordsOptionsAndStandardInput) {
  const auto parsed =
      Parse({"secret", "add-disk", "demo/vm1/root", "--key-file", "-",
             "--device=d.img", "--emulated", "--state", "S"});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->command->words, "secret add-disk");
  EXPECT_EQ(parsed->arguments.operands[0], "demo/vm1/root");
  EXPECT_EQ(parsed->arguments.Get("key-file"), "-");
  EXPECT_EQ(parsed->arguments.Get("device"), "d.img");
  EXPECT_EQ(parsed->arguments.Get("state"), "S");
  EXPECT_TRUE(parsed->arguments.Has("emulated"));
  EXPECT_FALSE(parsed->arguments.Has("json"));
}

TEST(Arguments, WrongUsageIsRefused) {
  EXPECT_FALSE(Parse({}).ok());
  EXPECT_FALSE(Parse({"dance"}).ok());
  EXPECT_FALSE(Parse({"policy"}).ok());
  EXPECT_FALSE(Parse({"policy", "add"}).ok());
  EXPECT_FALSE(Parse({"policy", "add", "a", "b"}).ok());
  EXPECT_FALSE(Parse({"pin", "--emulated"}).ok());
  EXPECT_FALSE(Parse({"pin", "--state"}).ok());
  EXPECT_FALSE(Parse({"pin", "--state", "a", "--state", "b"}).ok());
  EXPECT_FALSE(Parse({"secret", "add", "p", "--emulated=yes"}).ok());
  EXPECT_FALSE(Parse({"pin", "--unknown"}).ok());
}

TEST(Arguments, HelpOfOneCommandIsThatCommands) {
  std::string words[] = {"forelock-verifier", "secret", "add-disk", "--help"};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(),
                  words[3].data()};
  const std::string help = HelpFor(Commands(), argv);
  EXPECT_NE(help.find("--header-length"), std::string::npos);
  EXPECT_EQ(help.find("policy"), std::string::npos);
}

TEST(Arguments, HelpHasEveryCommand) {
  const std::string help = HelpText(Commands());
  for (const Command& command : Commands()) {
    EXPECT_NE(help.find(command.words), std::string::npos);
  }
}

}  // namespace
}  // namespace verifier
