// SPDX-License-Identifier: Apache-2.0
//
// What a report must be bound to (design section 5), computed with OpenSSL from
// the bytes that this side sent and received. attest/ computes the same with
// Mbed TLS in the guest; a test holds the two against each other.
#pragma once

#include <span>

#include "base/bytes.h"
#include "proto/attest.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

inline constexpr char kExporterLabel[] = "EXPORTER-forelock-attest-v1";
inline constexpr size_t kSessionBindingSize = 48;

// `binding` is the TLS exporter's output for the challenge's nonce; the other
// three are message bodies and the manifest, as on the wire.
ossl::Digest512 ReportData(
    std::span<const uint8_t, kSessionBindingSize> binding, base::Bytes request,
    base::Bytes challenge, base::Bytes boot_manifest);

// SHA-384 over le32(|name|) name le64(length) sha384 of each ACPI file, in the
// order sent.
ossl::Digest384 AcpiDigest(const proto::BootManifest& manifest);

}  // namespace verifier
