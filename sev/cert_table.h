// SPDX-License-Identifier: Apache-2.0
//
// The certificate table of the extended guest request: VCEK or VLEK and what
// signed it, packed behind a list of GUIDs.
//
// Spec: AMD 56421 (GHCB) rev. 2.03, 4.1.8.1 "SNP Extended Guest Request",
// tables of the certificate data and its GUIDs. GUIDs stand in RFC 4122 byte
// order, as tables of real hosts have them; offsets count from the table's
// start. The host makes the table: it is hostile, and it is not authenticated
// by anything but the certificates' own signatures.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace sev {

using Guid = std::array<uint8_t, 16>;

inline constexpr Guid kGuidVcek = {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64,
                                   0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9,
                                   0x3b, 0xe8, 0xac, 0xcd};
inline constexpr Guid kGuidVlek = {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a,
                                   0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0,
                                   0x45, 0xa0, 0xb8, 0xa1};
inline constexpr Guid kGuidAsk = {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac,
                                  0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae,
                                  0xf3, 0x27, 0xc7, 0x82};
inline constexpr Guid kGuidArk = {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03,
                                  0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6,
                                  0x01, 0x4c, 0xd0, 0xae};
inline constexpr Guid kGuidCrl = {0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11,
                                  0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f,
                                  0x88, 0xdc, 0x67, 0xea};

inline constexpr size_t kCertTableMaxEntries = 16;
inline constexpr size_t kCertTableEntrySize = 24;  // GUID, offset, length.

// The certificates found, each a view into the parsed table; empty: absent.
// DER or PEM, as the host stored them.
struct CertTable {
  base::Bytes vcek;
  base::Bytes vlek;
  base::Bytes ask;  // Or the ASVK, beside a VLEK.
  base::Bytes ark;
  base::Bytes crl;
};

// `table` stays owned by the caller and outlives the result. Entries with an
// unknown GUID are checked like the others and skipped. A table of zero bytes
// is one without certificates, as is one with only the terminating entry.
//   kDataLoss: no terminating entry, an entry outside the table or in its
//              header, entries that overlap, one GUID twice.
//   kResourceExhausted: more than kCertTableMaxEntries entries.
base::Result<CertTable> ParseCertTable(base::Bytes table);

struct CertTableEntry {
  Guid guid{};
  base::Bytes certificate;
};

// Writes a table and returns its size. Entries with no bytes are left out.
//   kResourceExhausted: it does not fit `out`, or there are too many entries.
base::Result<size_t> PackCertTable(std::span<const CertTableEntry> entries,
                                   base::MutableBytes out);

}  // namespace sev
