// SPDX-License-Identifier: Apache-2.0
//
// Answers GetCertificates from a folder: vcek-<chip id, 128 hex>-<tcb, 16
// hex>.der, ask.der and ark.der, packed as the certificate table of the
// extended guest request (sev/cert_table.h). What is in the files is the
// verifier's business; here they are bytes.
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
