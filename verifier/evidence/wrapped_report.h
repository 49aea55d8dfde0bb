// SPDX-License-Identifier: Apache-2.0
//
// Envelopes in which attestation reports travel outside this project: the
// response of Linux's guest device, the blob of an Azure confidential VM's
// vTPM, and go-sev-guest's raw form of extended evidence, which has no header.
// What is inside is as unverified as the envelope.
//
// Spec: AMD 56860 rev. 1.58, table "MSG_REPORT_RSP Message Structure"; Linux,
// include/uapi/linux/sev-guest.h (struct snp_report_resp: 4000 bytes);
// Microsoft, "Guest attestation for confidential VMs", attestation report
// structure.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace verifier {

// struct snp_report_resp, and the most that a guest message carries.
inline constexpr size_t kReportResponseBuffer = 4000;

// The report in a MSG_REPORT_RSP payload, as a view into it. After the report
// only zeros may follow, up to kReportResponseBuffer bytes in all.
//   InvalidArgument (VE70): not such a payload. (VE71): the firmware refused.
absl::StatusOr<base::Bytes> UnwrapMsgReportRsp(base::Bytes payload);

// Of the runtime data; REPORT_DATA begins with it.
enum class HclHash : uint32_t { kSha256 = 1, kSha384 = 2, kSha512 = 3 };

// Views into the parsed blob.
struct HclReport {
  base::Bytes report;
  HclHash hash = HclHash::kSha256;
  base::Bytes runtime_data;  // JSON; names the vTPM's attestation key.
};

// Strict: sizes must agree with each other, reserved bytes and what follows be
// zero. Does not compare the hash: see RuntimeDataIsBound.
//   InvalidArgument (VE70): not such a blob, or not of SEV-SNP.
absl::StatusOr<HclReport> ParseAzureHcl(base::Bytes blob);

// Views into the parsed bytes.
struct ReportThenTable {
  base::Bytes report;
  base::Bytes table;  // GHCB certificate table: sev/cert_table.h parses it.
};

// A report with the certificate table right behind it, to the end of the bytes.
//   InvalidArgument (VE70): shorter, or what follows is no such table.
absl::StatusOr<ReportThenTable> SplitReportThenTable(base::Bytes bytes);

// REPORT_DATA is the hash of the runtime data, then zeros.
bool RuntimeDataIsBound(const HclReport& hcl);

}  // namespace verifier
