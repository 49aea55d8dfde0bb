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
#include <string_view>
#include <vector>

namespace sev {

// Empty: there are no vectors here.
inline std::string VectorsFolder() {
  const char* folder = getenv("FORELOCK_VECTORS");
  if (folder == nullptr || !std::filesystem::exists(folder)) return "";
  return folder;
}

// Vectors that their manifest calls invalid and that are valid here, on purpose
// (docs/verify.md, "Accepted on purpose"): hwID in an OCTET STRING of its own.
inline bool IsValidHere(std::string_view id) {
  return id.starts_with("synthetic-hwid-octet-wrapped-");
}

inline std::vector<uint8_t> ReadVector(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(in), {});
}

}  // namespace sev
