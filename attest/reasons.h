// SPDX-License-Identifier: Apache-2.0
//
// The reason codes of attest/ (base/reasons.h says how such lists work).
#pragma once

#include "base/reasons.h"

#define FORELOCK_ATTEST_REASONS(X)                                           \
  X(kMessageLength, 'A', 'T', 1,                                             \
    "a message's length is zero or over its limit",                          \
    "The peer does not speak the attestation protocol; check its version.")  \
  X(kNonceInvalid, 'A', 'T', 2, "the challenge's nonce is all zero",         \
    "The verifier is broken.")                                               \
  X(kReportNotOurs, 'A', 'T', 3, "the report is over other report data",     \
    "The secure processor, or who answers for it, does not answer this "     \
    "request.")                                                              \
  X(kReportWrongVmpl, 'A', 'T', 4, "the report is not for VMPL 0",           \
    "The secure processor, or who answers for it, does not answer this "     \
    "request.")                                                              \
  X(kReportUnknownVersion, 'A', 'T', 5, "the report's version is not known", \
    "Firmware newer than this image; update the image.")                     \
  X(kCertificatesTooLarge, 'A', 'T', 6,                                      \
    "the certificate table is over 12 KiB",                                  \
    "The evidence source is broken; report it.")                             \
  X(kSecretNotAskedFor, 'A', 'T', 7, "a secret came that was not asked for", \
    "The verifier is broken or not the owner's.")                            \
  X(kSecretMissing, 'A', 'T', 8, "a secret that was asked for did not come", \
    "The verifier is broken or not the owner's.")                            \
  X(kSecretTwice, 'A', 'T', 9, "a secret came twice",                        \
    "The verifier is broken or not the owner's.")                            \
  X(kSecretOverLimit, 'A', 'T', 10, "a secret is larger than its max_size",  \
    "Raise max_size of the resource, or store a smaller secret.")            \
  X(kSecretWrongKind, 'A', 'T', 11,                                          \
    "a disk secret came for a file, or the reverse",                         \
    "Make `kind` of the resource and the stored secret agree.")              \
  X(kSecretHeaderDigest, 'A', 'T', 12,                                       \
    "a disk secret's header digest is not 32 bytes",                         \
    "Add the disk to the verifier again.")                                   \
  X(kSecretHeaderLength, 'A', 'T', 13,                                       \
    "a disk secret's header length is 0, over 64 MiB or not in sectors",     \
    "Add the disk to the verifier again.")                                   \
  X(kSecretEmpty, 'A', 'T', 14, "a secret is empty",                         \
    "Add the secret to the verifier again.")                                 \
  X(kSessionWrongState, 'A', 'T', 15, "a session was used out of turn",      \
    "A bug; report it.")                                                     \
  X(kSessionRequestInvalid, 'A', 'T', 16,                                    \
    "the configuration asks for what cannot be asked",                       \
    "Names are 1 to 128 of [a-z0-9._/-], at most 8 secrets of at most 4096 " \
    "bytes, each once.")                                                     \
  X(kRefusedByVerifier, 'A', 'T', 17, "the verifier did not grant",          \
    "The reason is in the owner's log, under the decision id.")              \
  X(kBootFileName, 'A', 'T', 18,                                             \
    "a boot file's name is missing, too long, or given twice",               \
    "The host's fw_cfg is broken, or a bug; report it.")

namespace attest {
FORELOCK_ATTEST_REASONS(BASE_DEFINE_REASON)
}  // namespace attest
