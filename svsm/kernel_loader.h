// SPDX-License-Identifier: Apache-2.0
//
// KernelLoader: the part of a boot that deals with memory and boot files, from
// the host's map to all that Leave() needs. Load() and Plan() before the
// attestation, Fill() after it; only the first two can fail for a reason of the
// host's or of the owner's files.
#pragma once

#include <stdint.h>

#include <span>

#include "attest/secret_set.h"
#include "base/result.h"
#include "base/time.h"
#include "proto/config.h"
#include "svsm/boot/start_info.h"
#include "svsm/fw_cfg/fw_cfg.h"
#include "svsm/linux/boot_files.h"
#include "svsm/linux/handover.h"
#include "svsm/memory/memory_map.h"

namespace svsm {

// Static storage, one of it: the fw_cfg area is the image's.
class KernelLoader {
 public:
  // Takes all RAM of the map, which fw_cfg gives if SNP's launch left
  // `start_info` empty, and copies the boot files into it.
  //   SL2 to SL17, SL20 to SL35, the platform's.
  base::Status Load(StartInfo& start_info, const proto::Config& config,
                    base::Clock& clock);

  // As PlanKernel(), for the configuration's resources.
  base::Status Plan(const proto::Config& config);

  // As FillKernel(). `secrets`, null for a boot without any, are those of the
  // configuration's resources, in its order.
  base::Status Fill(const proto::Config& config,
                    const attest::SecretSet* secrets,
                    std::span<const uint8_t, 32> rng_seed);

  const BootFiles& files() const { return files_; }
  const Handover& handover() const { return handover_; }

  // For the last acts, in exceptions too.
  void ClearSharedPages();
  base::Status CloseSharedPages();
  void WipeKernelPages();
  void WipeBehindInitrd();

 private:
  base::Status ReadHostMap(FwCfg& fw_cfg, StartInfo& start_info);
  base::Status TakeMemory(const StartInfo& start_info);

  MemoryMap map_;
  BootFiles files_;
  Handover handover_;
};

}  // namespace svsm
