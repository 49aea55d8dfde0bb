// SPDX-License-Identifier: Apache-2.0
//
// FixedEntropy: "entropy" that is the same in every run, and can fail.
// SeededRng: a generator that has it, ready for TLS.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/rng.h"

namespace crypto::testing {

class FixedEntropy final : public EntropySource {
 public:
  explicit FixedEntropy(uint64_t seed = 1) : state_(seed) {}

  base::Status Fill(base::MutableBytes out) override {
    ++fills;
    if (!failure.ok()) return failure;
    for (uint8_t& byte : out) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      byte = static_cast<uint8_t>(state_ >> 56);
    }
    return {};
  }

  base::Status failure;
  int fills = 0;

 private:
  uint64_t state_;
};

class SeededRng final : public Rng {
 public:
  SeededRng() {
    if (!Seed(entropy_, {}).ok()) __builtin_trap();
  }

 private:
  FixedEntropy entropy_;
};

}  // namespace crypto::testing
