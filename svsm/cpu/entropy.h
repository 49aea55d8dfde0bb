// SPDX-License-Identifier: Apache-2.0
//
// CpuEntropy: crypto::EntropySource over the CPU's random instructions.
//
// RDRAND always, RDSEED too where CPUID lists it (the 64-bit form: the shorter
// ones are broken on some Zen 5, AMD-SB-7055); what they give is XORed. Values
// that repeat or are all zeros or all ones are rejected: a stuck generator
// must not seed anything. Whoever seeds mixes VMPCK0 in as well.
// Spec: [amd/vol3] RDRAND, RDSEED; the repetition test of NIST SP
// 800-90B 4.4.1.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/rng.h"

namespace svsm {

class RandomInstructions {
 public:
  // False: the CPU had none to give this time.
  virtual bool Rdrand64(uint64_t* out) = 0;
  virtual bool Rdseed64(uint64_t* out) = 0;
  virtual void Relax() = 0;

 protected:
  ~RandomInstructions() = default;
};

class CpuEntropy final : public crypto::EntropySource {
 public:
  // How often one value is asked for, and how many stuck ones are borne.
  static constexpr int kTries = 10'000;
  static constexpr int kMaxRejected = 3;

  CpuEntropy(RandomInstructions& cpu, bool has_rdseed)
      : cpu_(cpu), has_rdseed_(has_rdseed) {}

  //   kUnavailable (kEntropyStuck): no values, or constant ones.
  base::Status Fill(base::MutableBytes out) override;

 private:
  using Instruction = bool (RandomInstructions::*)(uint64_t*);
  base::Result<uint64_t> Draw(Instruction instruction, uint64_t& previous);

  RandomInstructions& cpu_;
  bool has_rdseed_;
  uint64_t previous_rdrand_ = 0;
  uint64_t previous_rdseed_ = 0;
};

}  // namespace svsm
