// SPDX-License-Identifier: Apache-2.0
//
// GuestRequestExit: the two exits of the GHCB that carry a guest request. What
// they carry, and what is made of the answer, is snp_processor.h's business.
//
// Spec: AMD 56421 (GHCB) rev. 2.03, 4.1.7 "SNP Guest Request" and 4.1.8 "SNP
// Extended Guest Request".
#pragma once

#include <stdint.h>

#include "base/result.h"

namespace svsm {

class GuestRequestExit {
 public:
  // Read from the GHCB page once. Nothing in it is checked.
  struct Answer {
    uint32_t result = 0;  // SW_EXITINFO1[31:0]: sev::kExitResultOk and others
    uint64_t exit_info_2 = 0;
    uint64_t rbx = 0;  // 0 where the host did not mark it valid
  };

  // All addresses are guest-physical, of whole pages that are shared.
  //   Any error: the exit could not be made, or was not answered.
  virtual base::Result<Answer> GuestRequest(uint64_t request,
                                            uint64_t response) = 0;
  // `pages` pages at `certificates` are the host's to fill.
  virtual base::Result<Answer> ExtendedGuestRequest(uint64_t request,
                                                    uint64_t response,
                                                    uint64_t certificates,
                                                    uint64_t pages) = 0;

 protected:
  GuestRequestExit() = default;
  ~GuestRequestExit() = default;
  GuestRequestExit(const GuestRequestExit&) = delete;
  GuestRequestExit& operator=(const GuestRequestExit&) = delete;
};

}  // namespace svsm
