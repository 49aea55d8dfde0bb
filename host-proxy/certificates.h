// SPDX-License-Identifier: Apache-2.0
//
// Answers GetCertificates from a folder, packed as the certificate table of the
// extended guest request (sev/cert_table.h):
//   vlek-<CSP id>-<tcb, 16 hex>.der     if there is one, with asvk.der; else
//   vcek-<chip id, 128 hex>-<tcb>.der   with ask.der
//   ark.der, crl.der
// asvk, ask, ark and crl are left out if they are not there; they may also be
// in a folder milan, genoa or turin in it, if it has only one of these. What is
// in the files is the verifier's business; here they are bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace host_proxy {

// At most proto::channel::kMaxCertificateTable bytes. Looked up anew each
// time: the folder may be filled while the daemon runs.
//   NotFound, ResourceExhausted...: "HP6 ..." and the file.
absl::StatusOr<std::vector<uint8_t>> LoadCertificateTable(
    const std::string& folder, base::Bytes chip_id, uint64_t tcb);

}  // namespace host_proxy
