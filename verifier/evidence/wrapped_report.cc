// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/wrapped_report.h"

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sev/cert_table.h"
#include "sev/guest_message.h"
#include "sev/report.h"
#include "sev/wire_field.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

namespace hcl_layout {
using sev::WireField;
using Signature = WireField<0x00, 4>;
using Version = WireField<0x04, 4>;
using BlobSize = WireField<0x08, 4>;     // All of it, without padding.
using RequestType = WireField<0x0C, 4>;  // What the host asked for; any.
using Status = WireField<0x10, 4>;
using Reserved14 = WireField<0x14, 12>;
using Report = WireField<0x20, sev::kReportSize>;
// IGVM_REQUEST_DATA.
using DataSize = WireField<0x4C0, 4>;  // From here to the end.
using DataVersion = WireField<0x4C4, 4>;
using ReportType = WireField<0x4C8, 4>;
using HashType = WireField<0x4CC, 4>;
using RuntimeSize = WireField<0x4D0, 4>;
static_assert(sev::Tile<Signature, Version, BlobSize, RequestType, Status,
                        Reserved14, Report, DataSize, DataVersion, ReportType,
                        HashType, RuntimeSize>(0x4D4));
}  // namespace hcl_layout

constexpr size_t kHclHeaderSize = hcl_layout::RuntimeSize::kEnd;
constexpr size_t kRequestDataHeaderSize =
    kHclHeaderSize - hcl_layout::DataSize::kOffset;
constexpr uint32_t kHclSignature = 0x414C4348;  // "HCLA"
constexpr uint32_t kHclMaxVersion = 2;          // 1 has the same layout
constexpr uint32_t kRequestDataMaxVersion = 2;
constexpr uint32_t kReportTypeSnp = 2;

absl::Status Malformed(std::string_view what) {
  return Error(kWrappedReportMalformed, absl::StatusCode::kInvalidArgument,
               what);
}

}  // namespace

absl::StatusOr<base::Bytes> UnwrapMsgReportRsp(base::Bytes payload) {
  if (payload.size() < sev::kReportResponseSize) {
    return Malformed("MSG_REPORT_RSP is too short");
  }
  if (payload.size() > kReportResponseBuffer) {
    return Malformed("MSG_REPORT_RSP is too long");
  }
  const auto response =
      sev::ParseReportResponse(payload.first(sev::kReportResponseSize));
  if (!response.ok()) return Malformed("REPORT_SIZE of MSG_REPORT_RSP");
  if (response->status != sev::kReportStatusSuccess) {
    return Error(kWrappedReportRefused, absl::StatusCode::kInvalidArgument,
                 absl::StrCat("STATUS ", response->status));
  }
  using sev::report_response_layout::Reserved08;
  if (!base::AllZero(payload.subspan(Reserved08::kOffset, Reserved08::kSize))) {
    return Malformed("reserved bytes of MSG_REPORT_RSP are not zero");
  }
  if (!base::AllZero(payload.subspan(sev::kReportResponseSize))) {
    return Malformed("what follows MSG_REPORT_RSP is not zero");
  }
  return response->report;
}

absl::StatusOr<HclReport> ParseAzureHcl(base::Bytes blob) {
  namespace layout = hcl_layout;
  using sev::GetLe;
  if (blob.size() < kHclHeaderSize) return Malformed("HCL blob is too short");
  const auto head = blob.first<kHclHeaderSize>();
  if (GetLe<uint32_t, layout::Signature>(head) != kHclSignature) {
    return Malformed("HCL blob does not begin with HCLA");
  }
  const uint32_t version = GetLe<uint32_t, layout::Version>(head);
  if (version == 0 || version > kHclMaxVersion) {
    return Malformed("HCL blob has an unknown version");
  }
  if (GetLe<uint32_t, layout::Status>(head) != 0 ||
      !base::AllZero(sev::FieldOf<layout::Reserved14>(head))) {
    return Malformed("HCL header has a status, or reserved bytes not zero");
  }
  const uint32_t data_version = GetLe<uint32_t, layout::DataVersion>(head);
  if (data_version == 0 || data_version > kRequestDataMaxVersion) {
    return Malformed("HCL request data have an unknown version");
  }
  if (GetLe<uint32_t, layout::ReportType>(head) != kReportTypeSnp) {
    return Malformed("HCL blob holds no SEV-SNP report");
  }
  const uint32_t hash = GetLe<uint32_t, layout::HashType>(head);
  if (hash < static_cast<uint32_t>(HclHash::kSha256) ||
      hash > static_cast<uint32_t>(HclHash::kSha512)) {
    return Malformed("HCL blob has an unknown hash type");
  }
  // Widened, so that no sum wraps.
  const uint64_t runtime_size = GetLe<uint32_t, layout::RuntimeSize>(head);
  const uint64_t data_size = GetLe<uint32_t, layout::DataSize>(head);
  const uint64_t blob_size = GetLe<uint32_t, layout::BlobSize>(head);
  if (runtime_size > blob.size() - kHclHeaderSize ||
      data_size != runtime_size + kRequestDataHeaderSize ||
      blob_size != runtime_size + kHclHeaderSize) {
    return Malformed("sizes in the HCL blob do not agree");
  }
  if (!base::AllZero(blob.subspan(blob_size))) {
    return Malformed("what follows the HCL blob's runtime data is not zero");
  }
  return HclReport{.report = sev::FieldOf<layout::Report>(head),
                   .hash = HclHash{hash},
                   .runtime_data = blob.subspan(kHclHeaderSize, runtime_size)};
}

absl::StatusOr<ReportThenTable> SplitReportThenTable(base::Bytes bytes) {
  if (bytes.size() <= sev::kReportSize) {
    return Malformed("nothing follows a report of 1184 bytes");
  }
  const base::Bytes table = bytes.subspan(sev::kReportSize);
  const auto parsed = sev::ParseCertTable(table);
  if (!parsed.ok()) {
    return Malformed(
        absl::StrCat("what follows the report is no certificate table: ",
                     ReasonCode(parsed.status().reason())));
  }
  return ReportThenTable{.report = bytes.first(sev::kReportSize),
                         .table = table};
}

bool RuntimeDataIsBound(const HclReport& hcl) {
  using sev::report_layout::ReportData;
  if (hcl.report.size() != sev::kReportSize) return false;
  const base::Bytes report_data =
      hcl.report.subspan(ReportData::kOffset, ReportData::kSize);
  const auto begins_with = [&](base::Bytes digest) {
    return base::Equal(report_data.first(digest.size()), digest) &&
           base::AllZero(report_data.subspan(digest.size()));
  };
  switch (hcl.hash) {
    case HclHash::kSha256:
      return begins_with(ossl::Sha256::Of(hcl.runtime_data));
    case HclHash::kSha384:
      return begins_with(ossl::Sha384::Of(hcl.runtime_data));
    case HclHash::kSha512:
      return begins_with(ossl::Sha512::Of(hcl.runtime_data));
  }
  return false;
}

}  // namespace verifier
