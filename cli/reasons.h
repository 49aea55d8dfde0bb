// SPDX-License-Identifier: Apache-2.0
//
// Reason codes of cli/: files and answers of a key service that `forelock`
// cannot use. What is wrong with evidence itself has the verifier's codes.
// 1 to 39 reports, certificates, key service; 40 to 69 vectors, which
// verifier/conformance/ lists; from 70 on machines that are asked.
#pragma once

#include "base/reasons.h"
#include "verifier/conformance/reasons.h"
#include "verifier/reasons.h"

#define FORELOCK_CLI_FILE_REASONS(X)                                          \
  X(kFileUnreadable, 'C', 'L', 1, "a file cannot be read",                    \
    "Check the path and its permissions.")                                    \
  X(kFileTooLarge, 'C', 'L', 2, "a file is larger than anything it may hold", \
    "Give the report or the certificates, not a disk image.")                 \
  X(kFileUnwritable, 'C', 'L', 3, "a file or folder cannot be written",       \
    "Check the path, its permissions and the room on the disk.")              \
  X(kNotAReport, 'C', 'L', 4, "the file does not hold an attestation report", \
    "A report has 1184 bytes; --wrapped names what may be around it.")        \
  X(kNotCertificates, 'C', 'L', 5, "the file holds no certificates",          \
    "DER, PEM, several of them, or a GHCB certificate table.")                \
  X(kReportDataDiffers, 'C', 'L', 6,                                          \
    "the report data is not the one expected",                                \
    "The report was made for another request, or is replayed.")               \
  X(kRuntimeDataUnbound, 'C', 'L', 7,                                         \
    "the report data is not the hash of the blob's runtime data",             \
    "The runtime data, and the vTPM's key in them, are not the report's.")    \
  X(kPrepareIncomplete, 'C', 'L', 8,                                          \
    "certificates of a key have no chain, so a host cannot send them",        \
    "Import what is named as missing: an ASK, an ASVK, an ARK, newer ones.")  \
  X(kQemuNotAsked, 'C', 'L', 9, "QEMU does not say its version",              \
    "Give a QEMU that runs here, or --qemu-version of the host's.")

#define FORELOCK_CLI_MACHINE_REASONS(X)                \
  X(kAcpiNotSaid, 'C', 'L', 70,                        \
    "the machine did not come to say its ACPI digest", \
    "See the message: QEMU does not start, or the guest says why.")

// 10 to 69 are made below verifier/, and shown here.
#define FORELOCK_CLI_REASONS(X)       \
  FORELOCK_CLI_FILE_REASONS(X)        \
  FORELOCK_VERIFIER_SUPPLY_REASONS(X) \
  FORELOCK_CONFORMANCE_REASONS(X)     \
  FORELOCK_CLI_MACHINE_REASONS(X)

namespace cli {
FORELOCK_CLI_FILE_REASONS(BASE_DEFINE_REASON)
FORELOCK_CLI_MACHINE_REASONS(BASE_DEFINE_REASON)
}  // namespace cli
