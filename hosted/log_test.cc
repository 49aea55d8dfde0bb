// SPDX-License-Identifier: Apache-2.0
#include "hosted/log.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "hosted/files.h"

namespace hosted {
namespace {

using Level = Log::Level;
constexpr std::chrono::milliseconds kAtOnce{1};
constexpr std::chrono::hours kForever{1};

struct Pipe {
  Pipe() {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) abort();
    read_end = Descriptor(fds[0]);
    write_end = Descriptor(fds[1]);
  }
  // Until not one byte goes in any more.
  void Fill() const {
    const int flags = fcntl(write_end.get(), F_GETFL);
    fcntl(write_end.get(), F_SETFL, flags | O_NONBLOCK);
    while (write(write_end.get(), "#", 1) == 1) {
    }
    fcntl(write_end.get(), F_SETFL, flags);
  }
  // What is read until `done` of all of it.
  template <typename Done>
  std::string ReadUntil(Done done) {
    while (!done(text)) {
      std::array<char, 1024> some;
      const ssize_t got = read(read_end.get(), some.data(), some.size());
      if (got <= 0) break;
      text.append(some.data(), static_cast<size_t>(got));
    }
    return text;
  }
  std::string ReadAll() {
    write_end.Close();
    return ReadUntil([](const std::string&) { return false; });
  }

  Descriptor read_end, write_end;
  std::string text;
};

// How many lines a text accounts for: those that stand there, and those that
// it says were dropped.
uint64_t Accounted(std::string_view text) {
  uint64_t count = 0;
  for (const std::string_view line : absl::StrSplit(text, '\n')) {
    const size_t at = line.find(" warning ");
    uint64_t dropped = 0;
    if (at != line.npos && line.ends_with(" dropped")) {
      const std::string_view rest = line.substr(at + 9);
      EXPECT_TRUE(absl::SimpleAtoi(rest.substr(0, rest.find(' ')), &dropped));
      count += dropped;
    } else if (line.find(" info line ") != line.npos) {
      ++count;
    }
  }
  return count;
}

TEST(Log, WritesTimeAndLevelAndText) {
  Pipe pipe;
  Log log({.fd = pipe.write_end.get()});
  log.Info("vm1: started (0.012 s)");
  log.Line(Level::kWarning, "odd\n2026 error forged\x1b[2J");
  log.Line(Level::kError, "bad");
  EXPECT_TRUE(log.Close(kForever));
  log.Info("too late");
  const std::string time = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z )";
  const std::regex form(absl::StrCat(
      time, "info vm1: started \\(0\\.012 s\\)\n",                //
      time, "warning odd\\\\x0a2026 error forged\\\\x1b\\[2J\n",  //
      time, "error bad\n"));
  const std::string text = pipe.ReadAll();
  EXPECT_TRUE(std::regex_match(text, form)) << text;
  EXPECT_EQ(log.dropped(), 0u);
}

TEST(Log, LeavesTheTimeToTheJournal) {
  Pipe pipe;
  struct stat about = {};
  ASSERT_EQ(fstat(pipe.write_end.get(), &about), 0);
  setenv("JOURNAL_STREAM",
         absl::StrCat(about.st_dev, ":", about.st_ino).c_str(), 1);
  Log journal({.fd = pipe.write_end.get()});
  journal.Info("a");
  journal.Line(Level::kError, "b");
  EXPECT_TRUE(journal.Close(kForever));
  EXPECT_EQ(pipe.ReadAll(), "<6>a\n<3>b\n");
  // A service whose output goes to another file.
  Pipe other;
  Log file({.fd = other.write_end.get()});
  unsetenv("JOURNAL_STREAM");
  file.Info("c");
  EXPECT_TRUE(file.Close(kForever));
  EXPECT_TRUE(other.ReadAll().ends_with("Z info c\n"));
}

TEST(Log, NeverWaitsForItsReader) {
  Pipe pipe;
  pipe.Fill();
  Log log({.fd = pipe.write_end.get(), .lines = 8});
  for (int i = 0; i < 10000; ++i) log.Info("nobody reads this");
  // The thread has taken one at most.
  EXPECT_GE(log.dropped(), 10000u - 9);
  EXPECT_FALSE(log.Close(kAtOnce));
}

TEST(Log, HasALimitInBytesToo) {
  Pipe pipe;
  pipe.Fill();
  Log log({.fd = pipe.write_end.get(), .bytes = 4000});
  for (int i = 0; i < 100; ++i) log.Info(std::string(5000, 'x'));
  EXPECT_GE(log.dropped(), 100u - 4);
  EXPECT_FALSE(log.Close(kAtOnce));
}

// No line is missing without being counted, whenever the reader comes back, and
// also if another process made the pipe non-blocking.
TEST(Log, CountsWhatItDrops) {
  for (const int flags : {0, O_NONBLOCK}) {
    Pipe pipe;
    pipe.Fill();
    fcntl(pipe.write_end.get(), F_SETFL, O_WRONLY | flags);
    Log log({.fd = pipe.write_end.get(), .lines = 64});
    constexpr uint64_t kLines = 5000;
    for (uint64_t i = 0; i < kLines / 2; ++i) log.Info("line x");
    EXPECT_GT(log.dropped(), 0u);
    pipe.ReadUntil([](const std::string& text) {
      return text.find(" dropped\n") != std::string::npos;
    });
    for (uint64_t i = kLines / 2; i < kLines; ++i) log.Info("line y");
    std::thread reader([&] {
      pipe.ReadUntil([](const std::string& text) {
        return text.find("line last") != std::string::npos;
      });
    });
    // It finds room once the reader has caught up.
    uint64_t lasts = 0;
    for (uint64_t before = log.dropped();; before = log.dropped()) {
      log.Info(absl::StrCat("line z", lasts++));
      if (log.dropped() == before) break;
      std::this_thread::yield();
    }
    log.Info("line last");
    EXPECT_TRUE(log.Close(kForever));
    pipe.write_end.Close();
    reader.join();
    const std::string text = pipe.ReadAll();
    EXPECT_EQ(Accounted(text), kLines + lasts + 1);
    EXPECT_LT(text.find(" dropped\n"), text.find("line y"));
  }
}

TEST(Log, OutlivesItsReader) {
  ASSERT_NE(signal(SIGPIPE, SIG_DFL), SIG_ERR);
  Pipe pipe;
  pipe.read_end.Close();
  Log log({.fd = pipe.write_end.get()});
  for (int i = 0; i < 10; ++i) log.Info("to nobody");
  EXPECT_FALSE(log.Close(kForever));
  EXPECT_EQ(log.dropped(), 10u);
}

TEST(Log, OutlivesAFullDisk) {
  const Descriptor full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.open());
  Log log({.fd = full.get()});
  for (int i = 0; i < 10; ++i) log.Info("no room");
  EXPECT_FALSE(log.Close(kForever));
  EXPECT_EQ(log.dropped(), 10u);
}

TEST(Log, GoesOnWhenTheDiskHasRoomAgain) {
  const std::string path = testing::TempDir() + "/log";
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  ASSERT_TRUE(file.open());
  // Ten bytes of the first line, and then nothing.
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 10;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Log log({.fd = file.get()});
  log.Info("line 1");
  log.Info("line 2");
  while (log.dropped() < 2) std::this_thread::yield();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  log.Info("line 3");
  EXPECT_TRUE(log.Close(kForever));
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  const std::vector<std::string> lines = absl::StrSplit(text.str(), '\n');
  ASSERT_EQ(lines.size(), 4u) << text.str();
  EXPECT_EQ(lines[0].size(), 10u);
  EXPECT_TRUE(lines[1].ends_with("Z warning 2 lines dropped")) << lines[1];
  EXPECT_TRUE(lines[2].ends_with("Z info line 3")) << lines[2];
}

}  // namespace
}  // namespace hosted
