// SPDX-License-Identifier: Apache-2.0
//
// GuestEvidence: where the guest's evidence comes from. The report from the
// secure processor; the certificates, which prove nothing by themselves, from
// the proxy, which is asked for those of this very chip and TCB. Where it has
// none, those that the host gave with the report: a host's table is often of
// the TCB before the last update, and would make the evidence invalid.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>

#include "attest/evidence_source.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "proto/attest.h"
#include "proxy/client.h"
#include "svsm/platform/guest_request/guest_request.h"
#include "svsm/platform/snp_processor.h"

namespace svsm {

class GuestEvidence final : public attest::EvidenceSource {
 public:
  // All outlive it; `host` may be null: it gives no certificates. `timeout`
  // bounds GetCertificates().
  GuestEvidence(GuestRequestDriver& processor, const SnpProcessor* host,
                proxy::Client& client, base::Clock& clock,
                base::Milliseconds timeout)
      : processor_(processor),
        host_(host),
        client_(client),
        clock_(clock),
        timeout_(timeout) {}

  base::Status GetReport(
      std::span<const uint8_t, 64> report_data,
      std::span<uint8_t, proto::kAttestReportSize> out) override;
  base::Result<size_t> GetCertificates(base::Bytes report,
                                       base::MutableBytes out) override;

 private:
  GuestRequestDriver& processor_;
  const SnpProcessor* host_;
  proxy::Client& client_;
  base::Clock& clock_;
  base::Milliseconds timeout_;
};

}  // namespace svsm
