// SPDX-License-Identifier: Apache-2.0
#include "hosted/arguments.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/version.h"
#include "gtest/gtest.h"
#include "hosted/completion.h"
#include "hosted/help.h"

namespace hosted {
namespace {

using Kind = Option::Kind;

constexpr Option kOptions[] = {
    {"config", "FILE", Kind::kRequired, "a file"},
    {"fault", "NAME", Kind::kOptional, "a name"},
    {"force", "", Kind::kSwitch, "a switch"},
    {"root", "HEX", Kind::kRepeated, "a root"},
};

absl::StatusOr<Arguments> Parse(std::vector<std::string> words,
                                std::string_view positional = "FILE") {
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

TEST(Arguments, RepeatsOnlyWhatMayBeRepeated) {
  const auto arguments =
      Parse({"--root", "a", "f", "--config=c", "--root=b", "-"}, "FILE...");
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  const auto roots = arguments->Values("root");
  ASSERT_EQ(roots.size(), 2u);
  EXPECT_EQ(roots[0], "a");
  EXPECT_EQ(roots[1], "b");
  EXPECT_TRUE(arguments->Values("fault").empty());
  ASSERT_EQ(arguments->positionals().size(), 2u);
  EXPECT_EQ(arguments->positional(1), "-");
}

TEST(Arguments, CountsPositionalOnes) {
  const struct {
    std::string_view positional;
    size_t least, most;
  } rows[] = {{"", 0, 0},        {"A", 1, 1},         {"A B", 2, 2},
              {"[A]", 0, 1},     {"A [B]", 1, 2},     {"bash|zsh", 1, 1},
              {"FILE...", 1, 9}, {"[FILE...]", 0, 9}, {"A FILE...", 2, 9}};
  for (const auto& row : rows) {
    std::vector<std::string> words = {"--config=x"};
    for (size_t count = 0; count < 9; ++count) {
      EXPECT_EQ(Parse(words, row.positional).ok(),
                count >= row.least && count <= row.most)
          << row.positional << " " << count;
      words.push_back("f");
    }
  }
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
  return absl::InvalidArgumentError("LA1 no");
}
absl::StatusOr<int> Judge(const Arguments&) { return kExitInvalid; }
absl::StatusOr<int> FailToJudge(const Arguments&) {
  return absl::NotFoundError("CL1 no\x1b[2J");
}

// A program without words: what forelock-proxy is.
constexpr Option kDaemonOptions[] = {
    {"config", "FILE", Kind::kRequired, "a file"},
    {"check", "", Kind::kSwitch, "a switch"},
};
constexpr Command kDaemonCommands[] = {
    {"", "", "serves", "Serves.", kDaemonOptions, &Succeed}};
constexpr Program kDaemon = {"daemon", "daemon: a daemon", kDaemonCommands};

struct Printed {
  int code = 0;
  std::string out, error;
};
Printed RunDaemon(std::vector<std::string> words) {
  std::vector<char*> argv = {nullptr};
  for (std::string& word : words) argv.push_back(word.data());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Printed printed;
  printed.code =
      hosted::Run(kDaemon, static_cast<int>(argv.size()), argv.data());
  printed.out = testing::internal::GetCapturedStdout();
  printed.error = testing::internal::GetCapturedStderr();
  return printed;
}

TEST(NamelessCommand, IsWhatTheProgramDoesWithoutAWord) {
  EXPECT_EQ(RunDaemon({"--config", "f"}).code, kExitOk);
  EXPECT_EQ(RunDaemon({"--check", "--config=f"}).code, kExitOk);
  const Printed none = RunDaemon({});
  EXPECT_EQ(none.code, kExitUsage);
  EXPECT_EQ(none.error,
            "daemon: --config is missing\n"
            "usage: daemon --config FILE [--check]\n");
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"--check"},
                                             {"--config", "f", "word"},
                                             {"word", "--config", "f"},
                                             {"--config", "f", "--other"}}) {
    const Printed wrong = RunDaemon(words);
    EXPECT_EQ(wrong.code, kExitUsage) << testing::PrintToString(words);
    EXPECT_NE(wrong.error.find("daemon: "), std::string::npos) << wrong.error;
  }
  const Printed stray = RunDaemon({"word", "--config", "f"});
  EXPECT_EQ(stray.error, "daemon: unknown command word; --help lists them\n");
}

TEST(NamelessCommand, StandsBesideTheBuiltInOnes) {
  for (const auto& words : std::vector<std::vector<std::string>>{
           {"--help"}, {"-h"}, {"help"}, {"--config", "f", "--help"}}) {
    const Printed help = RunDaemon(words);
    EXPECT_EQ(help.code, kExitOk);
    for (const std::string_view part :
         {"usage: daemon --config FILE [--check]\n", "\n  --config FILE ",
          "\n  daemon man [WORD...]", "\n  2  wrong usage"}) {
      EXPECT_NE(help.out.find(part), std::string::npos) << help.out;
    }
  }
  const Printed page = RunDaemon({"man"});
  EXPECT_EQ(page.code, kExitOk);
  for (const std::string_view part :
       {".SH NAME\ndaemon \\- a daemon\n", "daemon \\-\\-config FILE",
        ".SH DESCRIPTION\nServes.\n", ".SH COMMANDS\n", "daemon completion"}) {
    EXPECT_NE(page.out.find(part), std::string::npos) << page.out;
  }
  EXPECT_EQ(RunDaemon({"man", "man"}).code, kExitOk);
  EXPECT_EQ(RunDaemon({"man", "word"}).code, kExitFailed);
  const Printed script = RunDaemon({"completion", "bash"});
  EXPECT_EQ(script.code, kExitOk);
  EXPECT_NE(script.out.find("' --config') COMPREPLY+=($(compgen -f"),
            std::string::npos)
      << script.out;
  EXPECT_NE(script.out.find("completion man --config --check --help"),
            std::string::npos)
      << script.out;
}

TEST(Version, IsAskedForByTheFirstWordOnly) {
  const Printed version = RunDaemon({"--version"});
  EXPECT_EQ(version.code, kExitOk);
  EXPECT_EQ(version.out, absl::StrCat("daemon ", base::VersionText(), "\n"));
  EXPECT_EQ(RunDaemon({"--config", "f", "--version"}).code, kExitUsage);
  EXPECT_NE(RunDaemon({"--help"}).out.find("daemon --version"),
            std::string::npos);
  EXPECT_NE(RunDaemon({"man"}).out.find("daemon \\-\\-version"),
            std::string::npos);
  for (const char* shell : {"bash", "zsh", "fish"}) {
    EXPECT_NE(RunDaemon({"completion", shell}).out.find("version"),
              std::string::npos);
  }
}

// Tests run what no commit is in: else each commit would run them all again.
TEST(Version, OfATestNamesNoCommit) {
  const std::string text(base::VersionText());
  EXPECT_TRUE(text.ends_with(", commit unknown")) << text;
  EXPECT_EQ(text.find_first_not_of("0123456789"), 1u) << text;
}

absl::Status Misuse(const Arguments&) { return UsageError("--at is no time"); }

constexpr ExitCode kVerdicts[] = {{kExitOk, "valid"}, {kExitInvalid, "not"}};
constexpr Option kCommon[] = {{"state", "DIR", Kind::kOptional, "a folder"}};
constexpr Command kCommands[] = {
    {"image good", "FILE", "sum", "text\n\n  example\n\n.it's", kOptions,
     &Succeed},
    {"image bad", "", "", "", {}, &Fail},
    {"judge", "", "", "", {}, &Judge, kVerdicts},
    {"judge misuse", "", "", "", {}, &Misuse},
    {"judge more", "a|b", "", "", {}, &FailToJudge},
};
constexpr Program kProgram = {"test", "test: a test", kCommands, kCommon};

int RunWith(std::vector<std::string> words) {
  std::vector<char*> argv = {nullptr};
  for (std::string& word : words) argv.push_back(word.data());
  return hosted::Run(kProgram, static_cast<int>(argv.size()), argv.data());
}

TEST(Run, SaysByExitCodeWhatHappened) {
  EXPECT_EQ(RunWith({"image", "good", "--config=c", "f"}), kExitOk);
  EXPECT_EQ(RunWith({"image", "bad"}), kExitFailed);
  EXPECT_EQ(RunWith({"image", "bad", "--state", "S"}), kExitFailed);
  EXPECT_EQ(RunWith({"image", "good"}), kExitUsage);
  EXPECT_EQ(RunWith({"image"}), kExitUsage);
  EXPECT_EQ(RunWith({}), kExitUsage);
  EXPECT_EQ(RunWith({"--help"}), kExitOk);
  EXPECT_EQ(RunWith({"image", "--help"}), kExitOk);
  EXPECT_EQ(RunWith({"dance", "--help"}), kExitUsage);
  EXPECT_EQ(RunWith({"image", "good", "--help"}), kExitOk);
  EXPECT_EQ(RunWith({"judge"}), kExitInvalid);
  EXPECT_EQ(RunWith({"judge", "misuse"}), kExitUsage);
  EXPECT_EQ(RunWith({"judge", "more", "a"}), kExitFailed);
  EXPECT_EQ(RunWith({"man", "judge", "more"}), kExitOk);
  EXPECT_EQ(RunWith({"man", "dance"}), kExitFailed);
  EXPECT_EQ(RunWith({"completion", "bash"}), kExitOk);
  EXPECT_EQ(RunWith({"completion", "tcsh"}), kExitUsage);
}

TEST(Run, PrintsNoControlCharacters) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunWith({"judge", "more", "a"}), kExitFailed);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "test: CL1 no\\x1b[2J\n");
}

// Every option, command and exit code is in the help, the manual page and each
// completion script: they are made of the same tables.
TEST(Help, SaysEverythingEverywhere) {
  const std::string help = CommandHelp(kProgram, kCommands[0]);
  const std::string page = ManualPage(kProgram, &kCommands[0]);
  for (const Option& option : kOptions) {
    EXPECT_NE(help.find(absl::StrCat("--", option.name)), std::string::npos);
    EXPECT_NE(page.find(absl::StrCat("\\-\\-", option.name)),
              std::string::npos);
    EXPECT_NE(help.find(option.help), std::string::npos);
    EXPECT_NE(page.find(option.help), std::string::npos);
    for (const std::string_view shell : {"bash", "zsh", "fish"}) {
      EXPECT_NE(CompletionScript(kProgram, shell)->find(option.name),
                std::string::npos);
    }
  }
  EXPECT_NE(help.find("--state DIR"), std::string::npos);
  EXPECT_NE(help.find("[--root HEX]..."), std::string::npos);
  EXPECT_NE(CommandHelp(kProgram, kCommands[2]).find("0  valid\n  1  failed"),
            std::string::npos);
  EXPECT_EQ(ManualPageName(kProgram, &kCommands[0]), "test-image-good");
  const std::string all = ManualPage(kProgram, nullptr);
  for (const Command& command : kCommands) {
    EXPECT_NE(all.find(command.name), std::string::npos);
  }
}

TEST(Help, WrapsAParagraphOfOneLine) {
  const std::string words =
      absl::StrReplaceAll(std::string(20, 'x'), {{"x", "twelve_bytes "}});
  const std::string example = "  " + std::string(90, 'e');
  const std::string text =
      absl::StrCat(words, "last_bytes\n\nbroken\nby hand\n\n", example);
  const std::string help =
      CommandHelp(kProgram, {"long", "", "", text, {}, &Succeed});
  const std::string line =
      "twelve_bytes twelve_bytes twelve_bytes twelve_bytes twelve_bytes\n";
  EXPECT_NE(
      help.find(absl::StrCat("\n\n", line, line, line, line, "last_bytes\n\n")),
      std::string::npos)
      << help;
  EXPECT_NE(help.find(absl::StrCat("\n\nbroken\nby hand\n\n", example, "\n")),
            std::string::npos)
      << help;
}

TEST(Help, EscapesWhatRoffWouldRead) {
  const std::string page = ManualPage(kProgram, &kCommands[0]);
  EXPECT_NE(page.find("\n\\&.it\\(aqs\n"), std::string::npos) << page;
  EXPECT_NE(page.find(".EX\n  example\n.EE\n"), std::string::npos) << page;
}

}  // namespace
}  // namespace hosted
