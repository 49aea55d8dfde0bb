// SPDX-License-Identifier: Apache-2.0
//
// Reasons of the loader: memory map, fw_cfg, boot files, ACPI, hand-over.
#pragma once

#include "base/reasons.h"
#include "boot/reasons.h"

#define FORELOCK_LOADER_REASONS(X)                                             \
  X(kRangeNotAligned, 'S', 'L', 1, "a memory range is not page aligned",       \
    "A bug in the loader; report it.")                                         \
  X(kRangeWraps, 'S', 'L', 2, "a memory range is empty or wraps around",       \
    "The host's memory map is broken or hostile.")                             \
  X(kRangeOverlaps, 'S', 'L', 3, "two memory ranges overlap",                  \
    "The host's memory map is broken or hostile.")                             \
  X(kTooManyRanges, 'S', 'L', 4, "more memory ranges than the table holds",    \
    "Simplify the VM's memory layout.")                                        \
  X(kImageNotInRam, 'S', 'L', 5,                                               \
    "the host's memory map does not show the image as RAM",                    \
    "The host's memory map is broken or hostile.")                             \
  X(kNoMemory, 'S', 'L', 6, "a boot file or buffer does not fit into memory",  \
    "Give the VM more memory, or make kernel and initrd smaller.")             \
  X(kNoMemoryMap, 'S', 'L', 7, "the host gave no memory map",                  \
    "Start the image by PVH, with a VMM that passes a memory map.")            \
  X(kMapUnterminated, 'S', 'L', 8, "the memory-map page has no last entry",    \
    "The host is broken or hostile.")                                          \
  X(kRamTooHigh, 'S', 'L', 9,                                                  \
    "the host shows RAM above 64 TiB, or over 2 TiB of it",                    \
    "Give the VM less memory, else the host's map is broken or hostile.")      \
  X(kFwCfgAbsent, 'S', 'L', 10, "there is no fw_cfg device with DMA",          \
    "Use a QEMU machine with fw_cfg, and QEMU 2.9 or newer.")                  \
  X(kFwCfgError, 'S', 'L', 11, "fw_cfg reported an error for a transfer",      \
    "See QEMU's messages; the file may have vanished.")                        \
  X(kFwCfgTimeout, 'S', 'L', 12, "a fw_cfg transfer did not complete",         \
    "The host does not answer; see whether QEMU runs.")                        \
  X(kFwCfgDirectory, 'S', 'L', 13, "the fw_cfg directory is malformed",        \
    "The host is broken or hostile.")                                          \
  X(kFwCfgDuplicate, 'S', 'L', 14, "two fw_cfg files have one name",           \
    "Give each -fw_cfg option its own name.")                                  \
  X(kFwCfgNotFound, 'S', 'L', 15, "a fw_cfg file does not exist",              \
    "Add the -fw_cfg option that the documentation shows.")                    \
  X(kFwCfgSize, 'S', 'L', 16, "a fw_cfg file has another size than expected",  \
    "The host changed the file, or is hostile.")                               \
  X(kRamInDeviceHole, 'S', 'L', 17,                                            \
    "the host shows RAM in the last GiB below 4 GiB, where a PC has devices",  \
    "Use QEMU's q35 machine; else the host's map is broken or hostile.")       \
  FORELOCK_BOOT_FILE_REASONS(X)                                                \
  X(kAcpiTooLarge, 'S', 'L', 25, "an ACPI file is empty or over its limit",    \
    "The host is broken or hostile.")                                          \
  X(kAcpiMissing, 'S', 'L', 26, "the host offers no ACPI files",               \
    "Write acpi = \"none\" in the configuration, or use a machine with ACPI.") \
  FORELOCK_INITRD_REASONS(X)                                                   \
  FORELOCK_KERNEL_REASONS(X)                                                   \
  X(kLoaderSize, 'S', 'L', 40, "the ACPI table loader is malformed",           \
    "The host is broken or hostile.")                                          \
  X(kLoaderCommand, 'S', 'L', 41, "an unknown ACPI table loader command",      \
    "QEMU is newer than this image, or hostile.")                              \
  X(kLoaderFile, 'S', 'L', 42,                                                 \
    "the ACPI table loader names a file that is not measured",                 \
    "Remove the device that adds it (vmgenid, TPM, ghes).")                    \
  X(kLoaderOrder, 'S', 'L', 43,                                                \
    "the ACPI table loader uses a file before allocating it, or twice",        \
    "The host is broken or hostile.")                                          \
  X(kLoaderRange, 'S', 'L', 44, "the ACPI table loader points outside a file", \
    "The host is broken or hostile.")                                          \
  X(kLoaderWritePointer, 'S', 'L', 45,                                         \
    "the ACPI table loader wants to tell the host an address",                 \
    "Remove the device that needs it (vmgenid, ghes).")                        \
  X(kAcpiRsdp, 'S', 'L', 46, "there is no valid ACPI root pointer",            \
    "The host's ACPI tables are broken.")                                      \
  X(kAcpiTable, 'S', 'L', 47, "an ACPI table lies outside the measured files", \
    "The host's ACPI tables are broken or hostile.")                           \
  X(kCpioPath, 'S', 'L', 50, "a secret's place in the initramfs is malformed", \
    "Use an absolute path without '.', '..' or empty parts, 200 bytes at "     \
    "most.")                                                                   \
  X(kCpioTooMany, 'S', 'L', 51, "too many folders for the secrets' places",    \
    "Put the secrets into fewer folders.")                                     \
  X(kCpioFull, 'S', 'L', 52, "the secrets do not fit behind the initrd",       \
    "A bug in the loader; report it.")                                         \
  X(kCpioDuplicate, 'S', 'L', 53, "two secrets have one place",                \
    "Give each resource its own path or volume.")                              \
  X(kTooManyWipes, 'S', 'L', 60, "too many ranges to overwrite",               \
    "A bug in the loader; report it.")

namespace svsm {
FORELOCK_LOADER_REASONS(BASE_DEFINE_REASON)
}  // namespace svsm
