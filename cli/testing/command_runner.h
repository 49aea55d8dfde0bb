// SPDX-License-Identifier: Apache-2.0
//
// Runs commands in the test's own process, with files in a folder of the test.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "hosted/arguments.h"

namespace cli::testing {

struct Output {
  int code;
  std::string out, err;
};

// `words` after the program's name.
Output RunCommand(std::span<const hosted::Command> commands,
                  std::vector<std::string> words);

// A new folder, removed at the end.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }
  // Makes folders on its way. Returns the path.
  std::string Write(const std::string& name, base::Bytes bytes) const;

 private:
  std::string path_;
};

}  // namespace cli::testing
