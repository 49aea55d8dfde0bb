// SPDX-License-Identifier: Apache-2.0
#include "hosted/child.h"

#include <signal.h>
#include <stdlib.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "gtest/gtest.h"

namespace hosted {
namespace {

using namespace std::chrono_literals;

absl::StatusOr<ChildOutput> Shell(const std::string& script,
                                  const ChildLimits& limits = {.time = 300s}) {
  const std::vector<std::string> words = {"sh", "-c", script};
  return RunChild(words, limits);
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

// Whoever hangs is ended, and what it started too: the second one has the pipe.
TEST(RunChild, EndsWhatHangs) {
  const auto result =
      Shell("echo x; sleep 100000 & exec sleep 100000", {.time = 50ms});
  EXPECT_EQ(result.status().code(), absl::StatusCode::kDeadlineExceeded);
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

TEST(RunChild, SaysThatASignalEndedIt) {
  EXPECT_EQ(Shell("kill -9 $$").status().code(), absl::StatusCode::kAborted);
}

}  // namespace
}  // namespace hosted
