// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/wrapped_report.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/bytes.h"
#include "sev/cert_table.h"
#include "sev/report.h"
#include "tools/fuzz_seed.h"

namespace {

void CheckInside(base::Bytes part, base::Bytes whole) {
  if (part.data() < whole.data() ||
      part.data() + part.size() > whole.data() + whole.size()) {
    __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const base::Bytes input(data, size);
  if (const auto report = verifier::UnwrapMsgReportRsp(input); report.ok()) {
    if (report->size() != sev::kReportSize) __builtin_trap();
    CheckInside(*report, input);
  }
  if (const auto hcl = verifier::ParseAzureHcl(input); hcl.ok()) {
    if (hcl->report.size() != sev::kReportSize) __builtin_trap();
    CheckInside(hcl->report, input);
    CheckInside(hcl->runtime_data, input);
    verifier::RuntimeDataIsBound(*hcl);
  }
  if (const auto parts = verifier::SplitReportThenTable(input); parts.ok()) {
    if (parts->report.data() != input.data() ||
        parts->report.size() != sev::kReportSize ||
        parts->table.size() != input.size() - sev::kReportSize) {
      __builtin_trap();
    }
    CheckInside(parts->table, input);
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  constexpr size_t kSize = 0x4E0;
  if (index > 2 || capacity < kSize) return 0;
  const std::span<uint8_t> blob(out, kSize);
  std::ranges::fill(blob, uint8_t{0});
  const auto put = [&](size_t at, uint32_t value) {
    base::StoreLe<uint32_t>(value, blob.subspan(at).first<4>());
  };
  if (index == 0) {
    put(0x04, sev::kReportSize);
    return kSize;
  }
  if (index == 2) {
    // An entry of three bytes, and the end of the table.
    const auto entry = blob.subspan(sev::kReportSize);
    std::ranges::copy(sev::kGuidVcek, entry.begin());
    put(sev::kReportSize + 16, 2 * sev::kCertTableEntrySize);
    put(sev::kReportSize + 20, 3);
    return sev::kReportSize + 2 * sev::kCertTableEntrySize + 3;
  }
  const std::array<uint32_t, 4> header = {0x414C4348, 2, kSize, 2};
  for (size_t i = 0; i < header.size(); ++i) put(i * 4, header[i]);
  const std::array<uint32_t, 5> request = {32, 1, 2, 1, 12};
  for (size_t i = 0; i < request.size(); ++i) put(0x4C0 + i * 4, request[i]);
  return kSize;
}
