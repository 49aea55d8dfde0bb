// SPDX-License-Identifier: Apache-2.0
#include "svsm/attestation/guest_evidence.h"

#include "sev/report.h"

namespace svsm {

base::Status GuestEvidence::GetReport(
    std::span<const uint8_t, 64> report_data,
    std::span<uint8_t, proto::kAttestReportSize> out) {
  return processor_.GetReport(report_data, out);
}

base::Result<size_t> GuestEvidence::GetCertificates(base::Bytes report,
                                                    base::MutableBytes out) {
  BASE_TRY_ASSIGN(const auto parsed, sev::UnverifiedReport::Parse(report));
  BASE_TRY_ASSIGN(
      const size_t size,
      client_.GetCertificates(parsed.chip_id(), parsed.reported_tcb(), out,
                              clock_.Now() + timeout_));
  if (size != 0 || host_ == nullptr) return size;
  return host_->Certificates(parsed.signing_key(), out);
}

}  // namespace svsm
