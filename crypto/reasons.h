// SPDX-License-Identifier: Apache-2.0
//
// The reason codes of crypto/ (base/reasons.h says how such lists work).
#pragma once

#include "base/reasons.h"

#define FORELOCK_CRYPTO_REASONS(X)                                             \
  X(kEntropyFailed, 'C', 'R', 1, "the random generator could not be seeded",   \
    "The CPU gives no randomness; use one with RDRAND.")                       \
  X(kRngNotReady, 'C', 'R', 2,                                                 \
    "randomness was asked for before it was seeded", "A bug; report it.")      \
  X(kAeadKeyMissing, 'C', 'R', 3, "a cipher was used without a key",           \
    "A bug, or the key was destroyed after an earlier failure.")               \
  X(kAeadTagMismatch, 'C', 'R', 4, "authenticated decryption failed",          \
    "The message is not from the holder of the key, or was changed.")          \
  X(kPinMismatch, 'C', 'R', 5, "the server's key is not a pinned one",         \
    "The endpoint is another server, or its key changed: compare "             \
    "`forelock-verifier pin` with verifier_pins of the image.")                \
  X(kPinsInvalid, 'C', 'R', 6, "there is no pin to check the server's key by", \
    "Give one to four verifier_pins.")                                         \
  X(kTlsAlert, 'C', 'R', 7, "the server ended TLS with an alert",              \
    "See the server's log; it may not support TLS 1.3 as Forelock uses it.")   \
  X(kTlsRefused, 'C', 'R', 8,                                                  \
    "the server offers no TLS that Forelock accepts",                          \
    "It needs TLS 1.3, AES-256-GCM, and P-256 or P-384.")                      \
  X(kTlsCertificateRefused, 'C', 'R', 9,                                       \
    "the server's certificate is not usable",                                  \
    "It must be X.509 with a P-256 or P-384 key; keyUsage, if there, must "    \
    "allow digitalSignature.")                                                 \
  X(kTlsMalformed, 'C', 'R', 10, "the server's bytes are not TLS 1.3",         \
    "The endpoint is not a verifier, or something changes bytes on the way.")  \
  X(kTlsNotAuthentic, 'C', 'R', 11,                                            \
    "a TLS record or signature does not verify",                               \
    "Something changes bytes on the way.")                                     \
  X(kTlsOutOfMemory, 'C', 'R', 12, "TLS ran out of heap",                      \
    "The server sends very large messages, or a bug; report it.")              \
  X(kTlsTruncated, 'C', 'R', 13, "the connection ended without close_notify",  \
    "The connection was cut; see the proxy's and the verifier's logs.")        \
  X(kTlsWrongState, 'C', 'R', 14, "TLS was used before or after its time",     \
    "A bug, or use after an earlier failure.")                                 \
  X(kTlsInternal, 'C', 'R', 15, "TLS failed for another reason",               \
    "Report it, with the server's log.")                                       \
  X(kTlsUnexpectedMessage, 'C', 'R', 16,                                       \
    "the server sent a TLS message out of turn",                               \
    "KeyUpdate and renegotiation are not part of the profile.")                \
  X(kTlsFlood, 'C', 'R', 17, "the TLS session receives much and says nothing", \
    "Something on the way sends alerts or other bytes that mean nothing, or "  \
    "the server's certificate chain is very long.")

namespace crypto {
FORELOCK_CRYPTO_REASONS(BASE_DEFINE_REASON)
}  // namespace crypto
