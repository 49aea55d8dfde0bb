// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "base/bytes.h"
#include "sev/cert_table.h"
#include "tools/fuzz_seed.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const base::Bytes input(data, size);
  const auto table = sev::ParseCertTable(input);
  if (!table.ok()) return 0;
  // Every view lies in the input.
  for (const base::Bytes part :
       {table->vcek, table->vlek, table->ask, table->ark, table->crl}) {
    if (part.empty()) continue;
    if (part.data() < data || part.data() + part.size() > data + size) {
      __builtin_trap();
    }
  }
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  constexpr std::array<uint8_t, 40> kBytes = {1, 2, 3};
  if (index > 1) return 0;
  const sev::CertTableEntry entries[] = {
      {sev::kGuidVcek, kBytes},
      {sev::kGuidAsk, kBytes},
      {sev::kGuidArk, index == 0 ? base::Bytes() : base::Bytes(kBytes)}};
  const auto size = sev::PackCertTable(entries, {out, capacity});
  return size.ok() ? *size : 0;
}
