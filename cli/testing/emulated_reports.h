// SPDX-License-Identifier: Apache-2.0
//
// Reports and certificates of the emulated firmware, for every product.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "psp/chip_model.h"
#include "psp/hierarchy.h"
#include "psp/report_maker.h"
#include "psp/testing.h"
#include "verifier/ossl/ossl.h"

namespace cli::testing {

using psp::ReportBytes;

inline ReportBytes EmulatedReport(
    const psp::Hierarchy& hierarchy, uint32_t version = 3,
    sev::SigningKey key = sev::SigningKey::kVcek,
    const std::function<void(ReportBytes&)>& change = [](ReportBytes&) {}) {
  psp::GuestContext guest;
  guest.measurement.fill(0xAB);
  guest.report_id.fill(0x11);
  sev::ReportRequest request{};
  request.report_data.fill(0x22);
  ReportBytes report =
      psp::MakeUnsignedReport(hierarchy.model(), hierarchy.chip_id(), guest,
                              {.report_version = version}, request, key);
  change(report);
  EVP_PKEY* signer = key == sev::SigningKey::kVlek ? hierarchy.vlek_key()
                                                   : hierarchy.vcek_key();
  if (!psp::SignReport(signer, report)) abort();
  return report;
}

inline std::string RootPin(const psp::Hierarchy& hierarchy) {
  return verifier::ossl::Hex(verifier::ossl::Sha256::Of(hierarchy.ark()));
}

}  // namespace cli::testing
