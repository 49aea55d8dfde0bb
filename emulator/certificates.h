// SPDX-License-Identifier: Apache-2.0
//
// The certificates of an emulated key hierarchy, in AMD's form.
//
// Form: AMD 57230 (VCEK Certificate and KDS Interface) rev. 1.0, tables of the
// ARK, ASK and VCEK certificates, and genuine Milan certificates: the same
// distinguished names (so that any SNP verifier which checks them works), with
// one more attribute that genuine ones do not have, description, which says
// EMULATED. RSASSA-PSS, SHA-384, MGF1 with SHA-384, salt of 48 bytes.
#pragma once

#include <stdint.h>

#include <array>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "emulator/openssl.h"
#include "sev/tcb.h"

namespace emulator {

inline constexpr char kEmulatedMark[] = "EMULATED by Forelock, not AMD";

using Der = std::vector<uint8_t>;
using ChipId = std::array<uint8_t, 64>;

// Self-signed.
absl::StatusOr<Der> MakeArkCertificate(EVP_PKEY* ark);
// Signed by the ARK.
absl::StatusOr<Der> MakeAskCertificate(EVP_PKEY* ask, EVP_PKEY* ark);

// What a VCEK certificate says of its chip, in AMD's extensions
// (1.3.6.1.4.1.3704.1.*).
struct VcekClaims {
  std::string product_name;  // with stepping, for example "Milan-B0"
  sev::Tcb tcb;
  ChipId chip_id{};
};
// Signed by the ASK.
absl::StatusOr<Der> MakeVcekCertificate(EVP_PKEY* vcek, EVP_PKEY* ask,
                                        const VcekClaims& claims);

}  // namespace emulator
