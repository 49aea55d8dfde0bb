// SPDX-License-Identifier: Apache-2.0
//
// The seeds are tables as a host with the emulated chip has them, for a VCEK
// and for a VLEK, and small ones, of which more is header.
#include <array>
#include <cstdlib>
#include <initializer_list>

#include "base/bytes.h"
#include "psp/chip_model.h"
#include "psp/hierarchy.h"
#include "psp/testing.h"
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
  const auto pack = [&](std::initializer_list<sev::CertTableEntry> entries) {
    const auto size = sev::PackCertTable(entries, {out, capacity});
    if (!size.ok()) abort();
    return *size;
  };
  const auto hierarchy = []() -> const psp::Hierarchy& {
    return psp::TestHierarchy(psp::kMilan, /*vlek=*/true);
  };
  constexpr std::array<uint8_t, 40> kBytes = {1, 2, 3};
  switch (index) {
    case 0:
      return pack({{sev::kGuidVcek, hierarchy().vcek()},
                   {sev::kGuidAsk, hierarchy().ask()},
                   {sev::kGuidArk, hierarchy().ark()}});
    case 1:
      return pack({{sev::kGuidVlek, hierarchy().vlek()},
                   {sev::kGuidAsk, hierarchy().asvk()},
                   {sev::kGuidArk, hierarchy().ark()},
                   {sev::kGuidCrl, hierarchy().crl()}});
    case 2:
      return pack({{sev::kGuidVcek, kBytes},
                   {sev::kGuidAsk, kBytes},
                   {sev::kGuidArk, {}}});
    case 3:
      return pack({{sev::kGuidVcek, kBytes},
                   {sev::kGuidAsk, kBytes},
                   {sev::kGuidArk, kBytes}});
    default:
      return 0;
  }
}
