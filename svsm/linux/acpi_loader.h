// SPDX-License-Identifier: Apache-2.0
//
// Runs QEMU's ACPI table loader over private copies of the ACPI files.
//
// Source: QEMU include/hw/acpi/bios-linker-loader.h and
// hw/acpi/bios-linker-loader.c: a list of 128-byte commands with which the
// firmware places the files, adds their addresses to pointers, and fixes
// checksums. AML is a program the kernel runs, so:
// * ALLOCATE may name only files that are in the boot manifest;
// * pointers and checksums stay inside those files;
// * WRITE_POINTER, which tells the host an address so that it can change guest
//   memory later (vmgenid, ghes), is refused rather than ignored: the kernel
//   would believe that the device works;
// * afterwards RSDP, RSDT/XSDT, and FADT are walked: each table they name must
//   lie inside the files, so that an address written into a file beforehand
//   cannot lead the kernel to tables nobody hashed.
#pragma once

#include <stdint.h>

#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "svsm/linux/acpi_tables.h"
#include "svsm/linux/reasons.h"

namespace svsm {

// Patches `files` as `commands` says and returns the RSDP's guest-physical
// address; files[0] holds it. On an error the files may be half patched; use
// none of them.
//   kDataLoss: SL40 to SL44, SL46, SL47. kPermissionDenied: SL45.
base::Result<uint64_t> RunAcpiLoader(base::Bytes commands,
                                     std::span<AcpiFile> files);

}  // namespace svsm
