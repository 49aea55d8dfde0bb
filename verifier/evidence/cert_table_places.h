// SPDX-License-Identifier: Apache-2.0
//
// A certificate table as the certificates of a report: its slots are places.
// What does not belong where the host put it is judged there, not left out.
#pragma once

#include "base/bytes.h"
#include "sev/cert_table.h"
#include "verifier/evidence/appraisal.h"

namespace verifier {

// Whether a file can only be a table: it starts with a known GUID or with the
// terminating one, where certificates have a SEQUENCE or PEM's dashes.
bool LooksLikeCertTable(base::Bytes bytes);

// The table has one place for what signed the leaf; the report says which of
// VCEK and VLEK is its leaf. Views into the table.
CertificateSet PlacesOf(const sev::CertTable& table, base::Bytes report);

}  // namespace verifier
