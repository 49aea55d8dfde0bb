// SPDX-License-Identifier: Apache-2.0
#include "tools/fuzz_seeds.h"

#include <stdio.h>
#include <stdlib.h>

#include <fstream>
#include <string_view>

#include "tools/fuzz_seed.h"

namespace tools {
namespace {

[[noreturn]] void Fail(const std::string& path, const char* what) {
  fprintf(stderr, "%s: %s\n", path.c_str(), what);
  exit(1);
}

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::vector<FuzzInput> BuiltInSeeds() {
  std::vector<FuzzInput> seeds;
  if (ForelockFuzzSeed == nullptr) return seeds;
  FuzzInput buffer(1 << 20);
  for (size_t i = 0;; ++i) {
    const size_t size = ForelockFuzzSeed(i, buffer.data(), buffer.size());
    if (size == 0) return seeds;
    seeds.emplace_back(buffer.begin(),
                       buffer.begin() + static_cast<ptrdiff_t>(size));
  }
}

std::vector<FuzzInput> SeedsOfFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) Fail(path, "cannot be read");
  std::vector<FuzzInput> seeds;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    FuzzInput seed;
    for (size_t i = 0; i + 1 < line.size(); i += 2) {
      const int high = Digit(line[i]), low = Digit(line[i + 1]);
      if (high < 0 || low < 0) Fail(path, "not hexadecimal");
      seed.push_back(static_cast<uint8_t>(high << 4 | low));
    }
    if (line.size() % 2 != 0) Fail(path, "half a byte");
    seeds.push_back(std::move(seed));
  }
  return seeds;
}

void WriteSeedsIfAsked(int argc, char** argv) {
  if (argc < 3 || std::string_view(argv[1]) != "--write-seeds") return;
  std::vector<FuzzInput> seeds = BuiltInSeeds();
  if (argc > 3) {
    for (FuzzInput& seed : SeedsOfFile(argv[3])) {
      seeds.push_back(std::move(seed));
    }
  }
  size_t index = 0;
  for (const FuzzInput& seed : seeds) {
    const std::string path =
        std::string(argv[2]) + "/seed-" + std::to_string(index++);
    std::ofstream file(path, std::ios::binary);
    for (const uint8_t byte : seed) file.put(static_cast<char>(byte));
    if (!file.flush()) Fail(path, "cannot be written");
  }
  exit(0);
}

}  // namespace tools
