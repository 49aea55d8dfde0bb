// SPDX-License-Identifier: Apache-2.0
//
// What the files are called that a host keeps for its chips, without extension:
//   vcek-CHIPID-TCB   128 and 16 hex digits, lower case: as the report has
//                     CHIP_ID (on Turin 8 bytes, then zeros), and REPORTED_TCB
//   vlek-CSPID-TCB    CSP_ID without "CN=", percent-encoded
// A leaf alone is NAME.der; NAME.certs is what a guest is sent: a GHCB
// certificate table of the leaf and all that vouches for it. Nobody needs to
// take a name apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace hosted {

inline constexpr std::string_view kCertificateTable = ".certs";

std::string VcekName(base::Bytes chip_id, uint64_t reported_tcb);

// What is not A-Z, a-z, 0-9, '.', '_' or '-' is %XX: whatever a certificate
// says is one name in one folder. It may be longer than a file's name can be.
std::string VlekName(std::string_view csp_id, uint64_t reported_tcb);

// Whether `file` is VlekName() of anybody for this TCB, and kCertificateTable.
bool IsVlekTable(std::string_view file, uint64_t reported_tcb);

}  // namespace hosted
