// SPDX-License-Identifier: Apache-2.0
//
// The seeds are reports as the emulated firmware writes them: each version of
// each product, signed.
#include <string.h>

#include <cstdlib>
#include <iterator>

#include "base/bytes.h"
#include "hosted/openssl/openssl.h"
#include "psp/chip_model.h"
#include "psp/hierarchy.h"
#include "psp/report_maker.h"
#include "sev/guest_message.h"
#include "sev/report.h"
#include "tools/fuzz_seed.h"

namespace {

constexpr const psp::ChipModel* kModels[] = {&psp::kMilan, &psp::kGenoa,
                                             &psp::kTurin};
constexpr size_t kVersions =
    psp::kMaxReportVersion - psp::kMinReportVersion + 1;

psp::ReportBytes MakeSeed(const psp::ChipModel& model, uint32_t version) {
  psp::ChipId chip_id{};
  for (size_t i = 0; i < model.hardware_id_size; ++i) {
    chip_id[i] = static_cast<uint8_t>(0xC0 + i);
  }
  psp::GuestContext guest;
  guest.measurement.fill(0xAB);
  guest.report_id.fill(0x1D);
  sev::ReportRequest request;
  request.report_data.fill(0xDA);
  auto report = psp::MakeUnsignedReport(model, chip_id, guest,
                                        {.report_version = version}, request,
                                        sev::SigningKey::kVcek);
  static const auto& key = *new hosted::openssl::PkeyPtr(psp::NewP384Key());
  if (!psp::SignReport(key.get(), report)) abort();
  return report;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto report = sev::UnverifiedReport::Parse({data, size});
  if (!report.ok()) return 0;
  // What is verified must be what was received.
  if (!base::Equal(report->bytes(), {data, size})) __builtin_trap();
  if (report->version() >= 3 && !report->cpuid()) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index >= std::size(kModels) * kVersions) return 0;
  const auto seed = MakeSeed(
      *kModels[index / kVersions],
      psp::kMinReportVersion + static_cast<uint32_t>(index % kVersions));
  // A seed that does not parse is none.
  if (!sev::UnverifiedReport::Parse(seed).ok() || seed.size() > capacity) {
    abort();
  }
  memcpy(out, seed.data(), seed.size());
  return seed.size();
}
