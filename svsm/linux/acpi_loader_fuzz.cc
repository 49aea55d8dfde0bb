// SPDX-License-Identifier: Apache-2.0
//
// The input is RSDP, tables and loader, one after another: 20 bytes, 1024
// bytes, the rest.
#include <string.h>

#include <array>
#include <vector>

#include "svsm/linux/acpi_loader.h"
#include "svsm/linux/acpi_tables.h"
#include "svsm/linux/fake_acpi.h"
#include "tools/fuzz_seed.h"

namespace {
constexpr size_t kRsdpSize = 20;
constexpr size_t kTablesSize = 1024;
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kRsdpSize + kTablesSize) return 0;
  // Heap blocks of the exact size: the sanitizer sees each byte too far.
  std::vector<uint8_t> rsdp(data, data + kRsdpSize);
  std::vector<uint8_t> tables(data + kRsdpSize, data + kRsdpSize + kTablesSize);
  const std::vector<uint8_t> loader(data + kRsdpSize + kTablesSize,
                                    data + size);
  std::array<svsm::AcpiFile, 2> files = {
      svsm::AcpiFile{svsm::FakeAcpi::kRsdpName, rsdp, 0x10000000},
      svsm::AcpiFile{svsm::FakeAcpi::kTablesName, tables, 0x20000000}};
  auto root = svsm::RunAcpiLoader(loader, files);
  if (root.ok() && !svsm::CheckAcpiTables(files, *root).ok()) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 0) return 0;
  const svsm::FakeAcpi acpi;
  const size_t size = kRsdpSize + kTablesSize + acpi.loader.size();
  if (size > capacity) return 0;
  memcpy(out, acpi.rsdp.data(), kRsdpSize);
  memcpy(out + kRsdpSize, acpi.tables.data(), kTablesSize);
  memcpy(out + kRsdpSize + kTablesSize, acpi.loader.data(), acpi.loader.size());
  return size;
}
