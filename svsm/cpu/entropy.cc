// SPDX-License-Identifier: Apache-2.0
#include "svsm/cpu/entropy.h"

#include <string.h>

#include <algorithm>

#include "base/secret_buffer.h"
#include "svsm/reasons.h"

namespace svsm {

base::Result<uint64_t> CpuEntropy::Draw(Instruction instruction,
                                        uint64_t& previous) {
  int rejected = 0;
  for (int i = 0; i < kTries && rejected <= kMaxRejected; ++i) {
    uint64_t value = 0;
    if (!(cpu_.*instruction)(&value)) {
      cpu_.Relax();
      continue;
    }
    if (value == 0 || value == UINT64_MAX || value == previous) {
      ++rejected;
      continue;
    }
    previous = value;
    return value;
  }
  return base::Status(base::Code::kUnavailable, kEntropyStuck);
}

base::Status CpuEntropy::Fill(base::MutableBytes out) {
  while (!out.empty()) {
    BASE_TRY_ASSIGN(uint64_t value,
                    Draw(&RandomInstructions::Rdrand64, previous_rdrand_));
    if (has_rdseed_) {
      BASE_TRY_ASSIGN(const uint64_t more,
                      Draw(&RandomInstructions::Rdseed64, previous_rdseed_));
      value ^= more;
    }
    const size_t size = std::min(out.size(), sizeof(value));
    memcpy(out.data(), &value, size);
    out = out.subspan(size);
    base::SecureZero(&value, sizeof(value));
  }
  return {};
}

}  // namespace svsm
