// SPDX-License-Identifier: Apache-2.0
//
// Follows ACPI's root pointers as Linux will, and writes an empty set.
//
// Source: ACPI 6.4, sections 5.2.5 (RSDP), 5.2.6 (header), 5.2.7 and 5.2.8
// (RSDT, XSDT), 5.2.9 (FADT). Checksums of the RSDP are checked here; those of
// tables are the kernel's business, their places are not.
#pragma once

#include <stdint.h>

#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "svsm/linux/reasons.h"

namespace svsm {

// A file in its final place.
struct AcpiFile {
  std::string_view name;
  base::MutableBytes bytes;
  uint64_t address = 0;  // guest-physical, of bytes[0]
};

uint8_t ByteSum(base::Bytes bytes);

// The RSDP at guest-physical `rsdp`, RSDT, XSDT, each table they name, and
// FADT's DSDT and FACS lie within `files`.
//   kDataLoss: SL46, SL47.
base::Status CheckAcpiTables(std::span<const AcpiFile> files, uint64_t rsdp);

// For `acpi: none`: an RSDP and an XSDT without tables, written to `out` which
// lies at guest-physical `address`. Without a root pointer Linux searches the
// BIOS area, and would find tables that firmware or host left there.
// Returns the RSDP's address.
//   kResourceExhausted (BA4): `out` is too small; 128 bytes do.
base::Result<uint64_t> WriteEmptyAcpi(base::MutableBytes out, uint64_t address);

}  // namespace svsm
