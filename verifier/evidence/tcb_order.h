// SPDX-License-Identifier: Apache-2.0
//
// Firmware never reports or commits what it does not run: REPORTED_TCB and
// COMMITTED_TCB are at most CURRENT_TCB, part by part.
//
// Spec: AMD 56860 rev. 1.58, "TCB_VERSION" and SNP_COMMIT, SNP_CONFIG.
#pragma once

#include <string>
#include <vector>

#include "sev/product.h"
#include "sev/report.h"

namespace verifier {

// Each part that is above, as "reported snp 25, current 24"; empty: none is.
std::vector<std::string> PartsAboveCurrentTcb(
    const sev::UnverifiedReport& report, sev::Product product);

}  // namespace verifier
