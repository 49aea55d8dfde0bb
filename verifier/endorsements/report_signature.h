// SPDX-License-Identifier: Apache-2.0
//
// The signature of an attestation report: ECDSA on P-384 over SHA-384 of the
// bytes received.
//
// Spec: AMD 56860 rev. 1.58, "ECDSA P-384 with SHA-384": R and S are
// little-endian in 72 bytes each.
#pragma once

#include "sev/report.h"
#include "verifier/endorsements/certificate.h"

namespace verifier {

// 0 < R, S < n. R + n fits the field and must not pass for R.
bool SignatureInRange(const sev::UnverifiedReport& report);

// High-S signatures are good: about half of AMD's are. So (R, n - S) verifies
// too, and neither the bytes of a report nor their hash identify it.
bool ReportSignatureVerifies(const sev::UnverifiedReport& report,
                             const Certificate& leaf);

}  // namespace verifier
