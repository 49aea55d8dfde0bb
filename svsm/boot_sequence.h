// SPDX-License-Identifier: Apache-2.0
//
// BootSequence: the life of one boot, from the configuration to the kernel
// (design section 2). Each phase is one method; the first failure ends it.
#pragma once

#include <stdint.h>

#include <optional>

#include "base/result.h"
#include "crypto/rng.h"
#include "proto/config.h"
#include "svsm/boot/start_info.h"
#include "svsm/console/line.h"
#include "svsm/cpu/entropy.h"
#include "svsm/cpu/tsc_clock.h"
#include "svsm/platform/ports.h"

namespace svsm {

class BootSequence {
 public:
  // `start_info` and `clock` outlive the sequence.
  BootSequence(const StartInfo& start_info, TscClock& clock)
      : start_info_(start_info), clock_(clock) {}

  // Returns only with what ended the boot.
  base::Status Run();

 private:
  base::Status Configure();
  base::Status SeedRng();
  void Announce(const Line& line);

  const StartInfo& start_info_;
  TscClock& clock_;
  proto::Config config_;
  CpuRandom cpu_random_;
  std::optional<CpuEntropy> entropy_;
  crypto::Rng rng_;
};

}  // namespace svsm
