// SPDX-License-Identifier: Apache-2.0
//
// Reason codes of sev/: bytes that claim to be one of SEV-SNP's formats and are
// not.
#pragma once

#include "base/reasons.h"

#define FORELOCK_SEV_REASONS(X)                                               \
  X(kReportWrongSize, 'S', 'V', 1, "attestation report is not 1184 bytes",    \
    "Whoever sent the report cut it, or sent its envelope too.")              \
  X(kReportUnknownVersion, 'S', 'V', 2,                                       \
    "attestation report version is not 2 to 5",                               \
    "The firmware is newer than this program; update it.")                    \
  X(kReportReservedNotZero, 'S', 'V', 3,                                      \
    "attestation report has a reserved byte that is not zero",                \
    "Not a report of the version it claims; nothing of it was used.")         \
  X(kReportUnknownSignatureAlgorithm, 'S', 'V', 4,                            \
    "attestation report is not signed by ECDSA P-384 with SHA-384",           \
    "The firmware is newer than this program, or the report is forged.")      \
  X(kReportUnknownSigningKey, 'S', 'V', 5,                                    \
    "attestation report names an unknown signing key",                        \
    "The firmware is newer than this program, or the report is forged.")      \
  X(kMessageHeaderUnknown, 'S', 'V', 6,                                       \
    "guest message header has an unknown algorithm, version or size",         \
    "The secure processor's answer was damaged or forged by the host.")       \
  X(kMessageTooLong, 'S', 'V', 7, "guest message is longer than its page",    \
    "The secure processor's answer was damaged or forged by the host.")       \
  X(kMessageReservedNotZero, 'S', 'V', 8,                                     \
    "guest message request has a reserved byte that is not zero",             \
    "The guest is newer than the emulated firmware, or broken.")              \
  X(kReportResponseMalformed, 'S', 'V', 9,                                    \
    "MSG_REPORT_RSP has an impossible size",                                  \
    "The secure processor's firmware is newer than this program, or broken.") \
  X(kSecretsPageUnknownVersion, 'S', 'V', 10,                                 \
    "secrets page has an unknown version",                                    \
    "The firmware is older or newer than this program can use.")              \
  X(kSecretsPageNoKey, 'S', 'V', 11, "secrets page holds an all-zero VMPCK0", \
    "The page was read twice, or never filled; no report can be asked for.")  \
  X(kCertTableUnterminated, 'S', 'V', 12,                                     \
    "certificate table has no terminating entry",                             \
    "The host's certificate table is damaged.")                               \
  X(kCertTableTooManyEntries, 'S', 'V', 13,                                   \
    "certificate table has too many entries",                                 \
    "The host's certificate table is damaged, or carries too much.")          \
  X(kCertTableOutOfRange, 'S', 'V', 14,                                       \
    "certificate table entry lies outside the table or in its header",        \
    "The host's certificate table is damaged.")                               \
  X(kCertTableOverlap, 'S', 'V', 15,                                          \
    "two entries of the certificate table overlap",                           \
    "The host's certificate table is damaged.")                               \
  X(kCertTableDuplicate, 'S', 'V', 16,                                        \
    "certificate table names one kind of certificate twice",                  \
    "The host's certificate table is damaged.")                               \
  X(kIdBlockMalformed, 'S', 'V', 40,                                          \
    "ID block, ID authentication or key structure is malformed",              \
    "Make it again; every reserved byte of these is zero.")

namespace sev {
FORELOCK_SEV_REASONS(BASE_DEFINE_REASON)
}  // namespace sev
