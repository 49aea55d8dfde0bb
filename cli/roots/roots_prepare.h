// SPDX-License-Identifier: Apache-2.0
//
// `forelock roots prepare`: the files of a host's daemon, one for each chip and
// TCB, of certificates and lists that lie in folders as they came. Each is a
// certificate table (sev/cert_table.h) of at most 12 KiB, named as in
// hosted/certificate_names.h.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "verifier/provision/prepared_chains.h"

namespace cli {

using verifier::ChipId;

struct PrepareRequest {
  std::string to;          // A folder; made if it is not there.
  std::set<ChipId> chips;  // Of VCEKs only those of these; empty: of all.
};

// 128 hex digits, or the 16 of a Turin's hardware id.
absl::StatusOr<ChipId> ChipIdOf(std::string_view hex);

// Writes the files that can be made, each in one step, and prints them; tells
// standard error which leaves have none and why.
//   CL8: there are such leaves, or none at all. CL3.
absl::Status PrepareRoots(const PrepareRequest& request,
                          const verifier::Choice& choice);

}  // namespace cli
