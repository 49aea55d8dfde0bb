// SPDX-License-Identifier: Apache-2.0
//
// What a PC's firmware does before anybody else and an image without one must
// do itself: ACPI's I/O ports, where power-off is (platform.h), the window of
// PCI configuration, and RAM from 0xC0000 to 0x100000 (MemoryMap::kRomArea).
// QEMU describes the first two in the ACPI tables, which it makes when they are
// read: so before that.
//
// The host's own devices, at the values that SeaBIOS and OVMF give them: there
// is nothing to believe and nothing to check. A machine that is no q35 ignores
// the writes.
// Source: Intel ICH9 datasheet, 13.1.13 and 13.1.14 (LPC 40h, 44h); Intel Q35
// MCH datasheet, 5.1.14 (60h) and 5.1.16 (90h to 96h).
#pragma once

#include "svsm/platform/platform.h"

namespace svsm {

inline void SetUpQ35(Platform& platform) {
  constexpr uint16_t kConfigAddress = 0xCF8;
  constexpr uint16_t kConfigData = 0xCFC;
  struct Write {
    uint32_t address;
    uint32_t value;
  };
  constexpr Write kWrites[] = {
      {0x8000F840, 0x00000601},  // PMBASE: 0x600
      {0x8000F844, 0x00000080},  // ACPI_CNTL: on
      {0x80000064, 0x00000000},
      {0x80000060, 0xB0000001},  // PCIEXBAR: 256 MiB at 0xB0000000, on
      {0x80000090, 0x33333330},  // PAM0 to PAM3: RAM, read and write
      {0x80000094, 0x00333333},  // PAM4 to PAM6; legacy access control: 0
  };
  for (const Write write : kWrites) {
    platform.Out32(kConfigAddress, write.address);
    platform.Out32(kConfigData, write.value);
  }
}

}  // namespace svsm
