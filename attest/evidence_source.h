// SPDX-License-Identifier: Apache-2.0
//
// Where a session gets its evidence: the secure processor in a guest, a fake in
// a test. The only calls in attest/ that may wait; they have deadlines of their
// own.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "proto/attest.h"

namespace attest {

class EvidenceSource {
 public:
  // An attestation report for VMPL 0 over `report_data`, as the secure
  // processor returned it. The session checks that it is what it asked for.
  virtual base::Status GetReport(
      std::span<const uint8_t, 64> report_data,
      std::span<uint8_t, proto::kAttestReportSize> out) = 0;

  // The certificate table for the key that signed `report`; returns its size.
  // 0: there is none, and the verifier must find it by itself. The bytes are
  // the host's and prove nothing by themselves.
  virtual base::Result<size_t> GetCertificates(base::Bytes report,
                                               base::MutableBytes out) = 0;

 protected:
  EvidenceSource() = default;
  ~EvidenceSource() = default;
};

}  // namespace attest
