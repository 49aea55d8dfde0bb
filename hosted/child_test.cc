// SPDX-License-Identifier: Apache-2.0
#include "hosted/child.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "base/bytes.h"
#include "gtest/gtest.h"
#include "hosted/text.h"

namespace hosted {
namespace {

using namespace std::chrono_literals;

absl::StatusOr<ChildOutput> Shell(const std::string& script,
                                  const ChildOptions& options = {
                                      .time = 300s}) {
  const std::vector<std::string> words = {"sh", "-c", script};
  return RunChild(words, options);
}

TEST(RunChild, BothOutputsAndTheExitCode) {
  const auto result = Shell("echo out; echo err >&2; exit 7");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->exit_code, 7);
  EXPECT_EQ(result->text, "out\nerr\n");
}

TEST(RunChild, HasNoInputAndEnglish) {
  setenv("LC_ALL", "tr_TR.UTF-8", 1);
  const auto result = Shell("cat; echo $LC_ALL");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->text, "C\n");
}

TEST(RunChild, ProgramsThatAreNotThere) {
  const std::vector<std::string> words = {"/nonexistent/qemu"};
  EXPECT_EQ(RunChild(words).status().code(), absl::StatusCode::kNotFound);
  const std::vector<std::string> folder = {"/tmp"};
  EXPECT_FALSE(RunChild(folder).ok());
}

TEST(RunChild, EndsWhatPrintsForEver) {
  const auto result = Shell("exec yes", {.time = 50ms, .output = 100});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
}

TEST(RunChild, KeepsNoMoreThanItsLimit) {
  const auto result =
      Shell("head -c 1000000 /dev/zero", {.time = 300s, .output = 100});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->text, std::string(100, '\0'));
}

// A daemon that it leaves behind keeps the pipe, and nobody waits for it.
TEST(RunChild, DoesNotWaitForADaemon) {
  const auto result = Shell("sleep 100000 & echo $!", {.time = 60s});
  ASSERT_TRUE(result.ok()) << result.status();
  int daemon = 0;
  ASSERT_TRUE(absl::SimpleAtoi(result->text, &daemon)) << result->text;
  EXPECT_EQ(kill(daemon, SIGKILL), 0);
}

TEST(RunChild, HearsItsInputOnce) {
  const std::string text = "a key\n";
  const auto result =
      Shell("cat; cat", {.time = 300s, .input = base::AsBytes(text)});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->text, text);
}

TEST(RunChild, InputAsLongAsAPipeTakes) {
  const std::string most(kMaxChildInput, 'x');
  const auto whole =
      Shell("wc -c", {.time = 300s, .input = base::AsBytes(most)});
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->text, "4096\n");
  const std::string more = most + "x";
  EXPECT_EQ(Shell("cat", {.input = base::AsBytes(more)}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(RunChild, NoEnvironmentButTheGivenOne) {
  const auto result =
      Shell("echo $FOO $HOME", {.time = 300s, .environment = {"FOO=bar"}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->text, "bar\n");
}

// A pipe that whatever was started has an end of, until all of it has ended.
class Leash {
 public:
  Leash() { EXPECT_EQ(pipe(ends_.data()), 0); }
  ~Leash() { close(ends_[0]); }
  // True: nobody is left.
  bool AllEnded() {
    close(ends_[1]);
    pollfd end = {.fd = ends_[0], .events = POLLIN, .revents = 0};
    return poll(&end, 1, 20'000) == 1 && (end.revents & POLLHUP) != 0;
  }

 private:
  std::array<int, 2> ends_ = {-1, -1};
};

TEST(RunChild, StopsOnceThereIsEnoughWithAllThatItStarted) {
  Leash leash;
  const auto result =
      Shell("sleep 100000 & echo one; echo two; sleep 100000",
            {.time = 300s, .enough = [](std::string_view text) {
               return text.find("two\n") != std::string_view::npos;
             }});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(result->stopped);
  EXPECT_EQ(result->text, "one\ntwo\n");
  EXPECT_TRUE(leash.AllEnded());
}

// On a machine so busy that the shell has started nothing by then, this shows
// less and still holds.
TEST(RunChild, EndsWhatHangsWithAllThatItStarted) {
  Leash leash;
  const auto result = Shell("sleep 100000 & exec sleep 100000", {.time = 50ms});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(leash.AllEnded());
}

// In a process of its own: the signal ends it, as its caller would have it.
TEST(RunChildDeathTest, EndsTheProgramBeforeASignalEndsUs) {
  const std::string folder = testing::TempDir();
  const std::string mark = folder + "/signalled";
  Leash leash;
  EXPECT_EXIT(
      {
        static_cast<void>(
            Shell("sleep 100000 & echo x; exec sleep 100000",
                  {.time = 300s,
                   .enough =
                       [](std::string_view) {
                         kill(getpid(), SIGTERM);
                         return false;
                       },
                   .on_signal = [&] { std::ofstream(mark) << "called"; }}));
        _exit(0);
      },
      testing::KilledBySignal(SIGTERM), "");
  EXPECT_TRUE(std::ifstream(mark).good());
  EXPECT_TRUE(leash.AllEnded());
}

TEST(RunChild, IgnoresASignalThatWeIgnore) {
  const auto before = signal(SIGHUP, SIG_IGN);
  const auto result = Shell("echo x; kill -HUP $PPID; echo y");
  signal(SIGHUP, before);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->text, "x\ny\n");
}

TEST(RunChild, LeavesTheSignalsAsTheyWere) {
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  // It can be ended by SIGTERM: it does not inherit what we hold.
  EXPECT_EQ(Shell("kill -TERM $$").status().code(), absl::StatusCode::kAborted);
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    EXPECT_EQ(sigismember(&before, number), sigismember(&after, number));
  }
}

TEST(RunChild, SaysWhichSignalEndedItAndItsLastWords) {
  const absl::Status status = Shell("echo oops; kill -9 $$").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(status.message(), "sh: ended by signal 9: oops");
}

TEST(LastWords, AreShortAndPrintable) {
  EXPECT_EQ(LastWords(" \n"), "it said nothing");
  EXPECT_EQ(LastWords("\x1b[2Ja\n"), Printable("\x1b[2Ja"));
  EXPECT_EQ(LastWords(std::string(1000, 'x') + "end\n"),
            std::string(597, 'x') + "end");
}

}  // namespace
}  // namespace hosted
