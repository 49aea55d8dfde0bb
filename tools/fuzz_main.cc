// SPDX-License-Identifier: Apache-2.0
//
// Runs a fuzz target without libFuzzer: every seed, every truncation of it,
// every single-bit flip of its first 4 KiB, then a fixed number of random
// mutations. Always the same inputs.
//
// PROGRAM [ITERATIONS [FILE.seeds]]: what fuzzing left in that file is run and
// mutated too, but not truncated and flipped bit by bit: it may be a lot.
#include <stdio.h>
#include <stdlib.h>

#include <random>
#include <vector>

#include "tools/fuzz_seed.h"
#include "tools/fuzz_seeds.h"

namespace {

using Input = tools::FuzzInput;

void Run(const Input& input) {
  // A copy of the exact size, so that the sanitizer sees every overrun.
  const Input exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
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

}  // namespace

int main(int argc, char** argv) {
  tools::WriteSeedsIfAsked(argc, argv);
  const long iterations = argc > 1 ? atol(argv[1]) : 20000;
  std::mt19937 random(20240601);
  std::vector<Input> seeds = tools::BuiltInSeeds();
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
  if (argc > 2) {
    for (Input& seed : tools::SeedsOfFile(argv[2])) {
      Run(seed);
      seeds.push_back(std::move(seed));
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
