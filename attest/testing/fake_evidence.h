// SPDX-License-Identifier: Apache-2.0
//
// FakeEvidence: reports that nobody signed, but that say what they should; or
// what a test makes of them.
#pragma once

#include <stdint.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "attest/evidence_source.h"
#include "base/bytes.h"
#include "base/result.h"
#include "proto/attest.h"
#include "sev/report.h"
#include "sev/wire_field.h"

namespace attest::testing {

class FakeEvidence final : public EvidenceSource {
 public:
  base::Status GetReport(
      std::span<const uint8_t, 64> report_data,
      std::span<uint8_t, proto::kAttestReportSize> out) override {
    namespace layout = sev::report_layout;
    ++reports;
    if (!failure.ok()) return failure;
    std::fill(out.begin(), out.end(), uint8_t{0});
    out[layout::Version::kOffset] = 3;
    out[layout::SignatureAlgorithm::kOffset] = 1;
    std::copy(report_data.begin(), report_data.end(),
              out.begin() + layout::ReportData::kOffset);
    if (change) change(out);
    return {};
  }

  base::Result<size_t> GetCertificates(base::Bytes,
                                       base::MutableBytes out) override {
    ++certificate_calls;
    if (!certificate_failure.ok()) return certificate_failure;
    std::copy(certificates.begin(), certificates.end(), out.begin());
    return certificates.size();
  }

  base::Status failure;
  base::Status certificate_failure;
  std::function<void(base::MutableBytes report)> change;
  std::vector<uint8_t> certificates = {1, 2, 3};
  int reports = 0;
  int certificate_calls = 0;
};

}  // namespace attest::testing
