// SPDX-License-Identifier: Apache-2.0
//
// ACPI files and a table loader such as QEMU's q35 makes, for host tests: RSDP
// -> RSDT -> FADT (-> FACS, DSDT) and APIC.
#pragma once

#include <stdint.h>

#include <string_view>
#include <vector>

#include "svsm/linux/fake_kernel.h"

namespace svsm {

struct FakeAcpi {
  using Blob = std::vector<uint8_t>;
  static constexpr uint32_t kFacs = 0, kDsdt = 64, kFadt = 128, kApic = 256,
                            kRsdt = 320;
  static constexpr std::string_view kRsdpName = "etc/acpi/rsdp";
  static constexpr std::string_view kTablesName = "etc/acpi/tables";

  Blob rsdp = Blob(20);
  Blob tables = Blob(1024);
  Blob loader;

  FakeAcpi() {
    PutName(rsdp, 0, "RSD PTR ");
    Poke<uint32_t>(rsdp, 16, kRsdt);
    PutTable(kFacs, "FACS", 64);
    PutTable(kDsdt, "DSDT", 60);
    PutTable(kFadt, "FACP", 116);
    Poke<uint32_t>(tables, kFadt + 36, kFacs);
    Poke<uint32_t>(tables, kFadt + 40, kDsdt);
    PutTable(kApic, "APIC", 50);
    PutTable(kRsdt, "RSDT", 44);
    Poke<uint32_t>(tables, kRsdt + 36, kFadt);
    Poke<uint32_t>(tables, kRsdt + 40, kApic);

    Allocate(kRsdpName, 16, 2);
    Allocate(kTablesName, 64, 1);
    AddPointer(kTablesName, kTablesName, kFadt + 36, 4);
    AddPointer(kTablesName, kTablesName, kFadt + 40, 4);
    AddChecksum(kTablesName, kFadt + 9, kFadt, 116);
    AddPointer(kTablesName, kTablesName, kRsdt + 36, 4);
    AddPointer(kTablesName, kTablesName, kRsdt + 40, 4);
    AddChecksum(kTablesName, kRsdt + 9, kRsdt, 44);
    AddPointer(kRsdpName, kTablesName, 16, 4);
    AddChecksum(kRsdpName, 8, 0, 20);
    loader.resize(loader.size() + 128);  // padding, as QEMU's
  }

  static void PutName(Blob& blob, size_t at, std::string_view name) {
    for (size_t i = 0; i < name.size(); ++i) {
      blob.at(at + i) = static_cast<uint8_t>(name[i]);
    }
  }
  void PutTable(size_t at, std::string_view signature, uint32_t length) {
    PutName(tables, at, signature);
    Poke<uint32_t>(tables, at + 4, length);
  }
  size_t Command(uint32_t kind) {
    const size_t at = loader.size();
    loader.resize(at + 128);
    Poke<uint32_t>(loader, at, kind);
    return at + 4;
  }
  void Allocate(std::string_view name, uint32_t alignment, uint8_t zone) {
    const size_t at = Command(1);
    PutName(loader, at, name);
    Poke<uint32_t>(loader, at + 56, alignment);
    Poke<uint8_t>(loader, at + 60, zone);
  }
  void AddPointer(std::string_view destination, std::string_view source,
                  uint32_t offset, uint8_t size) {
    const size_t at = Command(2);
    PutName(loader, at, destination);
    PutName(loader, at + 56, source);
    Poke<uint32_t>(loader, at + 112, offset);
    Poke<uint8_t>(loader, at + 116, size);
  }
  void AddChecksum(std::string_view name, uint32_t offset, uint32_t start,
                   uint32_t length) {
    const size_t at = Command(3);
    PutName(loader, at, name);
    Poke<uint32_t>(loader, at + 56, offset);
    Poke<uint32_t>(loader, at + 60, start);
    Poke<uint32_t>(loader, at + 64, length);
  }
};

}  // namespace svsm
