// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/bytes.h"
#include "sev/report.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto report = sev::UnverifiedReport::Parse({data, size});
  if (!report.ok()) return 0;
  // What is verified must be what was received.
  if (!base::Equal(report->bytes(), {data, size})) __builtin_trap();
  if (report->version() >= 3 && !report->cpuid()) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out, size_t) {
  if (index > 3) return 0;
  memset(out, 0, sev::kReportSize);
  out[0] = static_cast<uint8_t>(2 + index);
  out[sev::report_layout::SignatureAlgorithm::kOffset] = 1;
  return sev::kReportSize;
}
