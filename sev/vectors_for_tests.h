// SPDX-License-Identifier: Apache-2.0
//
// Genuine reports and tables, for tests: files of the folder that
// FORELOCK_VECTORS names. They are not part of the repository; tests skip
// where the folder is absent.
#pragma once

#include <stdint.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace sev {

// Empty: there are no vectors here.
inline std::string VectorsFolder() {
  const char* folder = getenv("FORELOCK_VECTORS");
  if (folder == nullptr || !std::filesystem::exists(folder)) return "";
  return folder;
}

inline std::vector<uint8_t> ReadVector(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(in), {});
}

}  // namespace sev
