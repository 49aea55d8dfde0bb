// SPDX-License-Identifier: Apache-2.0
//
// The GHCB MSR protocol: what a guest and its hypervisor say to each other
// before there is a GHCB page. Every answer is the host's word; one that the
// specification does not have ends the boot.
//
// Spec: [ghcb] 2.3.1.
#pragma once

#include <stdint.h>

#include "base/result.h"
#include "sev/ghcb.h"
#include "svsm/platform/snp/vmgexit.h"

namespace svsm {

// All of them:  kDataLoss (kGhcbMsrAnswer): another answer than was asked for,
// or reserved bits.

// Version 2 must be offered, and the C-bit be the CPUID page's.
//   kFailedPrecondition (kGhcbVersion). kDataLoss (kGhcbCbit).
base::Status NegotiateGhcb(VmgExit& exit, unsigned c_bit);

//   kFailedPrecondition (kGhcbFeatures): no SEV-SNP.
base::Status CheckHypervisorFeatures(VmgExit& exit);

// `gpa` is page aligned. The host must take this very page.
//   kDataLoss (kGhcbRegistration).
base::Status RegisterGhcb(VmgExit& exit, uint64_t gpa);

// One 4 KiB page.
//   kUnavailable (kPageStateRefused).
base::Status ChangePageByMsr(VmgExit& exit, uint64_t gpa,
                             sev::PageOperation operation);

}  // namespace svsm
