// SPDX-License-Identifier: Apache-2.0
//
// Answers GetCertificates from a folder, with one file as it is, which
// `forelock roots prepare` makes (hosted/certificate_names.h):
//   vlek-<CSP id>-<tcb>.certs    if there is one: firmware that has a VLEK
//                                signs with it; else
//   vcek-<chip id>-<tcb>.certs
// What is in it is the guest's business and the verifier's; here it is bytes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace host_proxy {

struct CertificateFile {
  // 1 to proto::channel::kMaxCertificateTable of them.
  std::vector<uint8_t> bytes;
  // For the log: what was chosen among several; empty: there was no choice.
  std::string note;
};

// Looked up anew each time: the folder may be filled while the daemon runs. Of
// several VLEKs of this TCB, the first by name.
//   NotFound, OutOfRange...: "HP6 ...", the file, and what to do.
absl::StatusOr<CertificateFile> LoadCertificates(const std::string& folder,
                                                 base::Bytes chip_id,
                                                 uint64_t tcb);

}  // namespace host_proxy
