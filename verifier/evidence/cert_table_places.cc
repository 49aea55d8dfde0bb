// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/cert_table_places.h"

#include "sev/report.h"

namespace verifier {

bool LooksLikeCertTable(base::Bytes bytes) {
  if (bytes.size() < sev::kCertTableEntrySize) return false;
  const base::Bytes guid = bytes.first(sizeof(sev::Guid));
  for (const sev::Guid& known : {sev::kGuidVcek, sev::kGuidVlek, sev::kGuidAsk,
                                 sev::kGuidArk, sev::kGuidCrl}) {
    if (base::Equal(guid, known)) return true;
  }
  return base::AllZero(guid);
}

CertificateSet PlacesOf(const sev::CertTable& table, base::Bytes report) {
  CertificateSet set{
      .intermediate = table.ask, .root = table.ark, .crl = table.crl};
  const auto parsed = sev::UnverifiedReport::FromBytes(report);
  const bool vlek =
      parsed.ok() && parsed->signing_key() == sev::SigningKey::kVlek;
  set.leaf = vlek ? table.vlek : table.vcek;
  if (set.leaf.empty()) set.leaf = vlek ? table.vcek : table.vlek;
  return set;
}

}  // namespace verifier
