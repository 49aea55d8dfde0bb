// SPDX-License-Identifier: Apache-2.0

// RAND_set_rand_method is deprecated; a provider in its place would be 200
// lines.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tests/hostile/seeded_random.h"

#include <openssl/rand.h>
#include <stdlib.h>

#include <span>

namespace hostile {
namespace {

SeededRandom& OfOpenssl() {
  static SeededRandom random(0);
  return random;
}

int Bytes(unsigned char* out, int size) {
  if (size < 0) return 0;
  OfOpenssl().Fill(std::span(out, static_cast<size_t>(size)));
  return 1;
}
int Status() { return 1; }

}  // namespace

uint64_t SeededRandom::Next() {
  state_ += 0x9E3779B97F4A7C15;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

void SeededRandom::Fill(base::MutableBytes out) {
  for (uint8_t& byte : out) byte = static_cast<uint8_t>(Next());
}

void SeedOpenssl(uint64_t seed) {
  static const RAND_METHOD method = {.seed = nullptr,
                                     .bytes = Bytes,
                                     .cleanup = nullptr,
                                     .add = nullptr,
                                     .pseudorand = Bytes,
                                     .status = Status};
  OfOpenssl() = SeededRandom(seed);
  if (RAND_set_rand_method(&method) != 1) abort();
}

}  // namespace hostile
