// SPDX-License-Identifier: Apache-2.0
//
// Reason codes of cli/: files and answers of a key service that `forelock`
// cannot use. What is wrong with evidence itself has the verifier's codes.
// 1 to 39 reports, certificates, key service; 40 to 69 vectors, which
// verifier/conformance/ lists.
#pragma once

#include "base/reasons.h"
#include "verifier/conformance/reasons.h"

#define FORELOCK_CLI_OWN_REASONS(X)                                            \
  X(kFileUnreadable, 'C', 'L', 1, "a file cannot be read",                     \
    "Check the path and its permissions.")                                     \
  X(kFileTooLarge, 'C', 'L', 2, "a file is larger than anything it may hold",  \
    "Give the report or the certificates, not a disk image.")                  \
  X(kFileUnwritable, 'C', 'L', 3, "a file or folder cannot be written",        \
    "Check the path, its permissions and the room on the disk.")               \
  X(kNotAReport, 'C', 'L', 4, "the file does not hold an attestation report",  \
    "A report has 1184 bytes; --wrapped names what may be around it.")         \
  X(kNotCertificates, 'C', 'L', 5, "the file holds no certificates",           \
    "DER, PEM, several of them, or a GHCB certificate table.")                 \
  X(kReportDataDiffers, 'C', 'L', 6,                                           \
    "the report data is not the one expected",                                 \
    "The report was made for another request, or is replayed.")                \
  X(kRuntimeDataUnbound, 'C', 'L', 7,                                          \
    "the report data is not the hash of the blob's runtime data",              \
    "The runtime data, and the vTPM's key in them, are not the report's.")     \
  X(kKdsUrl, 'C', 'L', 10, "the base URL of the key service is of no use",     \
    "Give https://HOST or http://HOST, without user, query or fragment.")      \
  X(kKdsUnreachable, 'C', 'L', 11, "the key service cannot be reached",        \
    "Check the URL and the network; certificates from files need neither.")    \
  X(kKdsTls, 'C', 'L', 12, "the key service's TLS certificate does not hold",  \
    "Somebody is in between, or the machine lacks ca-certificates.")           \
  X(kKdsDeadline, 'C', 'L', 13, "the key service did not answer in time",      \
    "Try again later, or use a cache.")                                        \
  X(kKdsNotFound, 'C', 'L', 14, "the key service knows no such chip or TCB",   \
    "Is the product right, and the chip id not masked? See --product.")        \
  X(kKdsThrottled, 'C', 'L', 15, "the key service wants fewer requests",       \
    "Wait a minute; a --certificates folder keeps what was fetched.")          \
  X(kKdsRedirect, 'C', 'L', 16, "the key service sends to another place",      \
    "Redirects are not followed; give the place itself as the base URL.")      \
  X(kKdsStatus, 'C', 'L', 17, "the key service answered with an error",        \
    "See the status in the message; 5xx: try again later.")                    \
  X(kKdsTooLarge, 'C', 'L', 18, "the answer is larger than 64 KiB",            \
    "This is not AMD's key service.")                                          \
  X(kKdsNotCertificates, 'C', 'L', 19,                                         \
    "the key service's answer is not the certificate asked for",               \
    "This is not AMD's key service, or a portal answered instead.")            \
  X(kKdsNoProduct, 'C', 'L', 20,                                               \
    "the report does not say which product to ask for",                        \
    "Reports of version 2 do not name it: give --product.")                    \
  X(kKdsNoChip, 'C', 'L', 21,                                                  \
    "the key service has no certificate for this report's key",                \
    "A masked chip id or a VLEK: give the certificate with --certificates.")   \
  X(kKdsNotKept, 'C', 'L', 22,                                                 \
    "what the key service sent is not kept for another day",                   \
    "No accepted root vouches for it; it is judged with the report only.")     \
  X(kImportNotPinned, 'C', 'L', 25, "no pinned root comes with the files",     \
    "Give AMD's ARK too, or your own root's --root-sha256.")                   \
  X(kImportNotSigned, 'C', 'L', 26,                                            \
    "a certificate or list is not signed by the root",                         \
    "It belongs to another root, or was changed.")                             \
  X(kImportNotAuthority, 'C', 'L', 27, "a certificate is no ARK, ASK or ASVK", \
    "Leave it out: a VCEK or VLEK comes with its report.")

#define FORELOCK_CLI_REASONS(X) \
  FORELOCK_CLI_OWN_REASONS(X)   \
  FORELOCK_CONFORMANCE_REASONS(X)

namespace cli {
FORELOCK_CLI_OWN_REASONS(BASE_DEFINE_REASON)
}  // namespace cli
