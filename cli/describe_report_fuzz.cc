// SPDX-License-Identifier: Apache-2.0
//
// Any 1184 bytes give a table of printable characters and JSON that parses.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <algorithm>
#include <optional>

#include "cli/describe_report.h"
#include "cli/testing/emulated_reports.h"
#include "sev/report.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto report = sev::UnverifiedReport::FromBytes({data, size});
  if (!report.ok()) return 0;
  const cli::Json json = cli::DescribeReport(*report, std::nullopt);
  for (const char c : cli::ReportTable(json)) {
    if (c != '\n' && (c < 0x20 || c > 0x7E)) abort();
  }
  if (cli::Json::parse(cli::ToText(json), nullptr, false) != json) abort();
  return 0;
}

// One of each version.
extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  const auto version = static_cast<uint32_t>(index) + 2;
  if (version > sev::kReportMaxVersion || capacity < sev::kReportSize) return 0;
  const auto report =
      cli::testing::EmulatedReport(psp::TestHierarchy(), version);
  std::ranges::copy(report, out);
  return report.size();
}
