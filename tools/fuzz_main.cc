// SPDX-License-Identifier: Apache-2.0
//
// Runs a fuzz target without libFuzzer: every seed, every truncation of it,
// every single-bit flip of its first 4 KiB, then a fixed number of random
// mutations. Always the same inputs. With `--write-seeds FOLDER` it only writes
// the seeds there, for libFuzzer (./run fuzz).
#include <stdio.h>
#include <stdlib.h>

#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "tools/fuzz_seed.h"

namespace {

using Input = std::vector<uint8_t>;

void Run(const Input& input) {
  // A copy of the exact size, so that the sanitizer sees every overrun.
  const Input exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::vector<Input> Seeds() {
  std::vector<Input> seeds;
  if (ForelockFuzzSeed == nullptr) return seeds;
  Input buffer(1 << 20);
  for (size_t i = 0;; ++i) {
    const size_t size = ForelockFuzzSeed(i, buffer.data(), buffer.size());
    if (size == 0) return seeds;
    seeds.emplace_back(buffer.begin(),
                       buffer.begin() + static_cast<ptrdiff_t>(size));
  }
}

Input Mutate(Input input, std::mt19937& random) {
  const int changes = 1 + static_cast<int>(random() % 8);
  for (int i = 0; i < changes; ++i) {
    const size_t at = input.empty() ? 0 : random() % input.size();
    switch (random() % 6) {
      case 0:
        if (!input.empty()) input[at] = static_cast<uint8_t>(random());
        break;
      case 1:
        if (!input.empty())
          input[at] ^= static_cast<uint8_t>(1u << random() % 8);
        break;
      case 2:
        input.insert(input.begin() + static_cast<ptrdiff_t>(at),
                     static_cast<uint8_t>(random()));
        break;
      case 3:
        if (!input.empty()) {
          input.erase(input.begin() + static_cast<ptrdiff_t>(at));
        }
        break;
      case 4:
        if (!input.empty()) input.resize(at);
        break;
      default:
        for (size_t k = at; k < input.size() && k < at + 4; ++k) {
          input[k] = (random() % 2) != 0 ? 0xFF : 0;
        }
    }
  }
  return input;
}

int WriteSeeds(const std::string& folder) {
  size_t index = 0;
  for (const Input& seed : Seeds()) {
    std::ofstream file(folder + "/seed-" + std::to_string(index++),
                       std::ios::binary);
    for (const uint8_t byte : seed) file.put(static_cast<char>(byte));
    if (!file.flush()) return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--write-seeds") {
    return WriteSeeds(argv[2]);
  }
  const long iterations = argc > 1 ? atol(argv[1]) : 20000;
  std::mt19937 random(20240601);
  std::vector<Input> seeds = Seeds();
  size_t runs = 0;
  for (const Input& seed : seeds) {
    Run(seed);
    // Large seeds: a sample of the truncations and flips, spread evenly.
    const size_t step = seed.size() > 4096 ? seed.size() / 4096 : 1;
    for (size_t size = 0; size < seed.size(); size += step, ++runs) {
      Run(Input(seed.begin(), seed.begin() + static_cast<ptrdiff_t>(size)));
    }
    for (size_t at = 0; at < seed.size() && at < 4096; ++at, runs += 8) {
      for (int bit = 0; bit < 8; ++bit) {
        Input flipped = seed;
        flipped[at] ^= static_cast<uint8_t>(1u << bit);
        Run(flipped);
      }
    }
  }
  if (seeds.empty()) seeds.emplace_back();
  for (long i = 0; i < iterations; ++i, ++runs) {
    Input input = seeds[random() % seeds.size()];
    if (random() % 16 == 0) {
      input.resize(random() % 512);
      for (uint8_t& byte : input) byte = static_cast<uint8_t>(random());
    }
    Run(Mutate(std::move(input), random));
  }
  printf("%zu inputs\n", runs + seeds.size());
  return 0;
}
