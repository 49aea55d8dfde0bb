// SPDX-License-Identifier: Apache-2.0
//
// The report that a command is about: a file, perhaps in an envelope.
#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "hosted/arguments.h"
#include "sev/product.h"

namespace cli {

// What Linux's guest device, an Azure VM's vTPM or go-sev-guest puts around a
// report.
inline constexpr hosted::Option kWrappedOption = {
    "wrapped", "msg-report-rsp|azure-hcl|report-then-table",
    hosted::Option::Kind::kOptional,
    "the envelope that FILE holds the report in"};
inline constexpr hosted::Option kProductOption = {
    "product", "milan|genoa|turin", hosted::Option::Kind::kOptional,
    "the processor line, where a version 2 report does not say it"};

struct ReportInput {
  std::vector<uint8_t> bytes;  // As received; of whatever size.
  // Of an Azure blob: whether the report data is the hash of its runtime data.
  std::optional<bool> runtime_data_bound;
  // GHCB certificate table that came behind the report; empty: none did.
  std::vector<uint8_t> certificate_table;
};

// From the first positional argument and --wrapped. CL1, CL2; the envelope's
// own reasons.
absl::StatusOr<ReportInput> ReadReport(const hosted::Arguments& arguments);

// --at, or now. A usage error if it is no time.
absl::StatusOr<time_t> TimeGiven(const hosted::Arguments& arguments);

// --product. A usage error if it is none.
absl::StatusOr<std::optional<sev::Product>> ProductGiven(
    const hosted::Arguments& arguments);

}  // namespace cli
