// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace cli {
namespace {

using Kind = Option::Kind;

constexpr Option kOptions[] = {
    {"config", "FILE", Kind::kRequired, "a file"},
    {"fault", "NAME", Kind::kOptional, "a name"},
    {"force", "", Kind::kSwitch, "a switch"},
};

absl::StatusOr<Arguments> Parse(std::vector<std::string> words,
                                size_t positional = 1) {
  return Arguments::Parse(words, kOptions, positional);
}

TEST(Arguments, TakesBothFormsInAnyOrder) {
  const auto arguments = Parse({"in.elf", "--config=a=b", "--force"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->Value("config"), "a=b");
  EXPECT_TRUE(arguments->Has("force"));
  EXPECT_FALSE(arguments->Has("fault"));
  EXPECT_EQ(arguments->Value("fault"), "");
  EXPECT_EQ(arguments->positional(0), "in.elf");
  EXPECT_EQ(Parse({"--config", "x", "f"})->Value("config"), "x");
  EXPECT_EQ(Parse({"--config", "x", "--", "--odd"})->positional(0), "--odd");
}

TEST(Arguments, RefusesEverythingElse) {
  const std::vector<std::string> rows[] = {
      {"in.elf"},                               // --config is missing
      {"--config", "x"},                        // no file
      {"--config", "x", "a", "b"},              // two files
      {"a", "--config"},                        // no value
      {"--config", "x", "--config", "y", "a"},  // twice
      {"--config", "x", "--force=1", "a"},      // a switch's value
      {"--config", "x", "--unknown", "a"},      // unknown
      {"--config", "x", "--conf", "y", "a"},    // no abbreviations
  };
  for (const auto& words : rows) {
    EXPECT_FALSE(Parse(words).ok()) << testing::PrintToString(words);
  }
}

absl::Status Succeed(const Arguments&) { return absl::OkStatus(); }
absl::Status Fail(const Arguments&) {
  return absl::InvalidArgumentError("LA1: no");
}

TEST(Run, SaysByExitCodeWhatHappened) {
  constexpr Command kCommands[] = {
      {"image good", "FILE", "", "", {}, &Succeed},
      {"image bad", "", "", "", {}, &Fail},
  };
  const Program program = {"test", "a test", kCommands};
  const auto run = [&](std::vector<std::string> words) {
    std::vector<char*> argv = {nullptr};
    for (std::string& word : words) argv.push_back(word.data());
    return cli::Run(program, static_cast<int>(argv.size()), argv.data());
  };
  EXPECT_EQ(run({"image", "good", "f"}), kExitOk);
  EXPECT_EQ(run({"image", "bad"}), kExitFailed);
  EXPECT_EQ(run({"image", "good"}), kExitUsage);
  EXPECT_EQ(run({"image"}), kExitUsage);
  EXPECT_EQ(run({}), kExitUsage);
  EXPECT_EQ(run({"--help"}), kExitOk);
  EXPECT_EQ(run({"image", "good", "--help"}), kExitOk);
}

}  // namespace
}  // namespace cli
