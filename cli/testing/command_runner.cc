// SPDX-License-Identifier: Apache-2.0
#include "cli/testing/command_runner.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace cli::testing {

Output RunCommand(std::span<const hosted::Command> commands,
                  std::vector<std::string> words) {
  words.insert(words.begin(), "forelock");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  Output output;
  output.code = hosted::Run(
      {.name = "forelock", .summary = "forelock: test", .commands = commands},
      static_cast<int>(argv.size()), argv.data());
  output.out = ::testing::internal::GetCapturedStdout();
  output.err = ::testing::internal::GetCapturedStderr();
  return output;
}

ScratchFolder::ScratchFolder() {
  path_ = absl::StrCat(::testing::TempDir(), "/cli.XXXXXX");
  if (mkdtemp(path_.data()) == nullptr) abort();
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string ScratchFolder::Write(const std::string& name,
                                 base::Bytes bytes) const {
  const std::filesystem::path path = Path(name);
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) abort();
  return path;
}

}  // namespace cli::testing
