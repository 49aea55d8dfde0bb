// SPDX-License-Identifier: Apache-2.0
//
// Random numbers that are the same in every run: for machines whose failures
// must come again.
#pragma once

#include <stdint.h>

#include "base/bytes.h"

namespace hostile {

// SplitMix64 (Steele, Lea, Flood 2014). For choices of tests, never for keys of
// anybody.
class SeededRandom {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  // 0 to `bound` - 1; `bound` is not 0.
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  void Fill(base::MutableBytes out);

 private:
  uint64_t state_;
};

// From here on OpenSSL's random bytes come from `seed`, in this process and in
// whoever it forks. Keys made afterwards are worth nothing.
void SeedOpenssl(uint64_t seed);

}  // namespace hostile
