// SPDX-License-Identifier: Apache-2.0
//
// `forelock report ...`: show and verify attestation reports.
#pragma once

#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hosted/arguments.h"
#include "verifier/ossl/ossl.h"

namespace cli {

std::span<const hosted::Command> ReportCommands();

// The two commands; each in its own file.
absl::Status ReportShow(const hosted::Arguments& arguments);
absl::StatusOr<int> ReportVerify(const hosted::Arguments& arguments);

// --root-sha256, or AMD's.
inline constexpr hosted::Option kRootOption = {
    "root-sha256", "HEX", hosted::Option::Kind::kRepeated,
    "accept this root (SHA-256 of the ARK in DER) instead of AMD's"};
absl::StatusOr<std::vector<verifier::ossl::Digest256>> PinsGiven(
    const hosted::Arguments& arguments);

}  // namespace cli
