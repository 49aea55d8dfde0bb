// SPDX-License-Identifier: Apache-2.0
//
// What the secure processor signs for us: 64 bytes that bind a report to one
// TLS session, one request, one challenge and one boot manifest.
//
//   B = TLS-Exporter("EXPORTER-forelock-attest-v1", context = nonce, length 48)
//   T = SHA-384( le32(|Request|) Request le32(|Challenge|) Challenge )
//   M = SHA-384( boot manifest )
//   report data = SHA-512( "forelock report data v1" 00 B T M )
//
// All bodies as on the wire. Design section 5; the exporter is RFC 8446, 7.5.
// Pure functions: guest and verifier compute the same.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/bytes.h"
#include "crypto/hash.h"

namespace attest {

inline constexpr char kExporterLabel[] = "EXPORTER-forelock-attest-v1";
inline constexpr size_t kSessionBindingSize = 48;
inline constexpr size_t kReportDataSize = 64;

using ReportData = std::array<uint8_t, kReportDataSize>;

// T. The bodies are the two messages without their length prefixes.
crypto::Sha384Digest TranscriptHash(base::Bytes request, base::Bytes challenge);

ReportData ComputeReportData(
    std::span<const uint8_t, kSessionBindingSize> session_binding,
    const crypto::Sha384Digest& transcript, base::Bytes boot_manifest);

}  // namespace attest
