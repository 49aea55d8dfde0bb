// SPDX-License-Identifier: Apache-2.0
//
// `forelock roots prepare`: the files of a host's daemon, one for each chip and
// TCB, of certificates and lists that lie in folders as they came. Each is a
// certificate table (sev/cert_table.h) of at most 12 KiB, named as in
// hosted/certificate_names.h.
#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/channel.h"
#include "verifier/endorsements/leaf_facts.h"

namespace cli {

using ChipId = std::array<uint8_t, proto::channel::kChipIdSize>;

// For which reports a leaf is.
struct LeafName {
  verifier::SignerKind kind = verifier::SignerKind::kVcek;
  ChipId chip_id{};  // Of a VCEK, as reports have it: on Turin 8 bytes, zeros.
  std::string csp_id;  // Of a VLEK, as its certificate has it.
  uint64_t tcb = 0;    // REPORTED_TCB, as reports of the product have it.
};

// Everything in DER. Empty: no current list is at hand.
struct PreparedChain {
  LeafName name;
  std::vector<uint8_t> leaf, intermediate, root, crl;
};

struct LeafWithoutChain {
  LeafName name;
  std::string what;  // The leaf's file, and why nothing fits.
};

struct Choice {
  std::vector<PreparedChain> chains;
  std::vector<LeafWithoutChain> left_out;
  std::vector<std::string> notes;  // On files that were of no use.
};

// Chooses among all that is in files and folders. `now`: seconds since 1970.
using Chooser = std::function<absl::StatusOr<Choice>(
    std::span<const std::string> paths, time_t now)>;

struct PrepareRequest {
  std::vector<std::string> paths;
  std::string to;          // A folder; made if it is not there.
  std::set<ChipId> chips;  // Of VCEKs only those of these; empty: of all.
};

// 128 hex digits, or the 16 of a Turin's hardware id.
absl::StatusOr<ChipId> ChipIdOf(std::string_view hex);

// Writes the files that can be made, each in one step, and prints them; tells
// standard error which leaves have none and why.
//   CL8: there are such leaves, or none at all. CL1, CL2, CL3.
absl::Status PrepareRoots(const PrepareRequest& request, const Chooser& choose,
                          time_t now);

}  // namespace cli
