// SPDX-License-Identifier: Apache-2.0
//
// Every field of a report, as a table for people and as JSON. Names are the
// ABI's. All bytes are hex: a report is whatever the host says until it is
// verified.
#pragma once

#include <optional>
#include <string>

#include "nlohmann/json.hpp"
#include "sev/product.h"
#include "sev/report.h"

namespace cli {

using Json = nlohmann::ordered_json;

// `product` decides how TCBs are taken apart; without one the report's CPUID
// does, and a version 2 report, which has none, is read as Milan's or Genoa's.
Json DescribeReport(const sev::UnverifiedReport& report,
                    std::optional<sev::Product> product);

// Two columns, of what DescribeReport gave.
std::string ReportTable(const Json& description);

// {"fmc": 1, ...}: only the parts that the product has.
Json DescribeTcb(uint64_t raw, sev::Product product);

// Text of JSON whose strings may be anything: what is not UTF-8 is replaced.
std::string ToText(const Json& json);

}  // namespace cli
