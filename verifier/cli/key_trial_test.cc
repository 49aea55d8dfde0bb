// SPDX-License-Identifier: Apache-2.0
//
// With a script in place of cryptsetup; with the real one:
// tests/owner/disk_key_test.py.
#include "verifier/cli/key_trial.h"

#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "base/bytes.h"
#include "gtest/gtest.h"

namespace verifier {
namespace {

constexpr char kKey[] = "a key of which nothing shows";

class KeyTrialTest : public testing::Test {
 protected:
  // A program that notes its words and input, then does `rest`.
  std::string Program(const std::string& rest) {
    const std::string path = folder_ + "/cryptsetup";
    std::ofstream(path) << "#!/bin/sh\nset -u\nd='" << folder_
                        << "'\necho \"$*\" >> $d/words\nenv > $d/env\n"
                        << "cat > $d/input\n"
                        << rest << "\n";
    chmod(path.c_str(), 0700);
    return path;
  }
  // That opens for this key alone; printf(1) reads the escapes.
  std::string Lock(const std::string& key) {
    return Program("printf '" + key +
                   "' | cmp -s - $d/input || exit 2\n"
                   "echo 'No usable token is available.'\n"
                   "echo 'Key slot 3 unlocked.'");
  }
  KeyTrial Try(const std::string& program, const std::string& key,
               std::chrono::milliseconds deadline = kTrialDeadline) {
    return TryKey(program, device_, base::AsBytes(key), deadline);
  }
  std::string Read(const std::string& name) {
    std::ifstream in(folder_ + "/" + name);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void SetUp() override {
    std::string name = testing::TempDir() + "/key_trial.XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = std::filesystem::canonical(name);  // As the program gets it.
    device_ = folder_ + "/-disk";
    std::ofstream(device_) << "LUKS";
  }

  std::string folder_, device_;
};

TEST_F(KeyTrialTest, TheKeyGoesThroughAPipeAlone) {
  const KeyTrial trial = Try(Lock(kKey), kKey);
  EXPECT_EQ(trial.fit, KeyFit::kOpens) << trial.why;
  EXPECT_EQ(trial.keyslot, 3u);
  EXPECT_EQ(Read("input"), kKey);
  EXPECT_EQ(Read("words"),
            "open --verbose --test-passphrase --type luks2 --key-file - " +
                device_ + "\n");
  EXPECT_EQ(Read("env").find(kKey), std::string::npos);
  EXPECT_EQ(Read("env").find("HOME="), std::string::npos);
}

TEST_F(KeyTrialTest, EachEnding) {
  struct Row {
    std::string lock, key;
    KeyFit fit;
  };
  const Row kRows[] = {
      {"pass", "pass", KeyFit::kOpens},
      {"pass\\n", "pass\n", KeyFit::kOpens},
      {"pass", "pass\n", KeyFit::kOpensWithoutNewline},
      {"pass", "pass\r\n", KeyFit::kOpensWithoutNewline},
      {"pass\\n", "pass", KeyFit::kOpensWithNewline},
      {"pass", "word", KeyFit::kDoesNotOpen},
      {"pass", "word\n", KeyFit::kDoesNotOpen},
      {"pass", "\n", KeyFit::kDoesNotOpen},
      {"pass", std::string(4096, 'x'), KeyFit::kDoesNotOpen},
      {"pass", std::string(4095, 'x') + "\n", KeyFit::kDoesNotOpen},
  };
  for (const Row& row : kRows) {
    const KeyTrial trial = Try(Lock(row.lock), row.key);
    EXPECT_EQ(trial.fit, row.fit) << row.lock << ", " << row.key;
    EXPECT_EQ(trial.keyslot.has_value(), row.fit == KeyFit::kOpens);
  }
}

TEST_F(KeyTrialTest, WhatIsNoAnswerIsNotTried) {
  EXPECT_EQ(Try(folder_ + "/none", kKey).fit, KeyFit::kNotTried);
  for (const char* rest :
       {"exit 1", "exit 3", "exit 4", "exit 5", "exit 77", "kill -9 $$"}) {
    const KeyTrial trial = Try(Program(rest), kKey);
    EXPECT_EQ(trial.fit, KeyFit::kNotTried) << rest;
    EXPECT_FALSE(trial.why.empty()) << rest;
  }
  // One that reads nothing.
  const std::string path = Program("");
  std::ofstream(path) << "#!/bin/sh\nexec <&-\nexit 2\n";
  EXPECT_EQ(Try(path, kKey).fit, KeyFit::kDoesNotOpen);
  EXPECT_EQ(TryKey(path, folder_ + "/none", base::AsBytes(kKey)).fit,
            KeyFit::kNotTried);
}

TEST_F(KeyTrialTest, AProgramThatHangsIsEnded) {
  // It waits for a writer that never comes.
  const std::string program =
      Program("mkfifo $d/never; read -r line < $d/never");
  const KeyTrial trial = Try(program, kKey, std::chrono::milliseconds(200));
  EXPECT_EQ(trial.fit, KeyFit::kNotTried);
  EXPECT_EQ(trial.why, "it did not answer in time");
}

TEST_F(KeyTrialTest, FindsTheProgram) {
  const std::string program = Program("");
  EXPECT_EQ(FindCryptsetup("relative:/nowhere:" + folder_), program);
  EXPECT_EQ(FindCryptsetup(folder_ + ":/nowhere"), program);
  // Never by a folder that is not whole: the current one is anybody's.
  for (const char* path : {"", ".", ":", "bin:."}) {
    const std::string found = FindCryptsetup(path);
    EXPECT_TRUE(found.empty() || found[0] == '/') << path;
  }
}

}  // namespace
}  // namespace verifier
