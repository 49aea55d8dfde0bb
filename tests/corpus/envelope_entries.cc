// SPDX-License-Identifier: Apache-2.0
//
// Reports in what they travel in. Spec of the blob of an Azure VM's vTPM:
// verifier/evidence/wrapped_report.h; written here a second time, by offsets.
#include <stdlib.h>

#include <algorithm>
#include <functional>
#include <span>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "openssl/sha.h"
#include "psp/report_maker.h"
#include "sev/guest_message.h"
#include "tests/corpus/entry.h"

namespace corpus {
namespace {

using psp::GuestContext;
using psp::MakeUnsignedReport;
using psp::ReportBytes;
using psp::SignReport;

constexpr size_t kLinuxResponse = 4000;  // What Linux hands to user space.
constexpr size_t kHclPadded = 2048;
constexpr size_t kHclReportAt = 0x20, kHclDataAt = 0x4C0, kHclRuntimeAt = 0x4D4;
constexpr std::string_view kRuntimeData = R"({"keys":[]})";

void PutLe32(Blob& blob, size_t at, uint32_t value) {
  base::StoreLe<uint32_t>(value, std::span(blob).subspan(at).first<4>());
}

std::vector<Entry> Messages(const Line& line, const Blob& report) {
  namespace layout = sev::report_response_layout;
  const char* const kind = "msg-report-rsp";
  Blob good(kLinuxResponse);
  PutLe32(good, layout::ReportSize::kOffset, sev::kReportSize);
  std::ranges::copy(report, good.begin() + layout::Report::kOffset);
  Blob refused(kLinuxResponse);
  PutLe32(refused, layout::Status::kOffset,
          sev::kReportStatusInvalidParameters);
  Blob other_size = good;
  PutLe32(other_size, layout::ReportSize::kOffset, sev::kReportSize - 1);
  Blob cut = good;
  cut.resize(sev::kReportResponseSize - 1);
  std::vector<Entry> entries = {
      SimpleEntry(line, "message", kind, "a report in its MSG_REPORT_RSP", "",
                  {{"msg", good}}),
      SimpleEntry(line, "message-refused", kind, "STATUS is not success",
                  "wrapper", {{"msg", refused}}),
      SimpleEntry(line, "message-other-size", kind, "REPORT_SIZE is 1183",
                  "wrapper", {{"msg", other_size}}),
      SimpleEntry(line, "message-truncated", kind, "shorter than its report",
                  "wrapper", {{"msg", cut}}),
  };
  entries.front().embedded_report = HexSha256(report);
  return entries;
}

// Signed over the hash of the runtime data.
ReportBytes HclReport(const Line& line) {
  sev::ReportRequest request;
  // EDGE: text as bytes.
  SHA256(reinterpret_cast<const unsigned char*>(kRuntimeData.data()),
         kRuntimeData.size(), request.report_data.data());
  ReportBytes report =
      MakeUnsignedReport(*line.model, line.chip_id, GuestContext{}, {}, request,
                         sev::SigningKey::kVcek);
  if (!SignReport(line.vcek_key.get(), report)) abort();
  return report;
}

Blob HclBlob(const ReportBytes& report) {
  const auto runtime = static_cast<uint32_t>(kRuntimeData.size());
  Blob blob(kHclPadded);
  PutLe32(blob, 0x00, 0x414C4348);  // HCLA
  PutLe32(blob, 0x04, 1);
  PutLe32(blob, 0x08, kHclRuntimeAt + runtime);
  PutLe32(blob, 0x0C, 2);
  std::ranges::copy(report, blob.begin() + kHclReportAt);
  PutLe32(blob, kHclDataAt, kHclRuntimeAt - kHclDataAt + runtime);
  PutLe32(blob, kHclDataAt + 4, 1);
  PutLe32(blob, kHclDataAt + 8, 2);   // an SEV-SNP report
  PutLe32(blob, kHclDataAt + 12, 1);  // SHA-256
  PutLe32(blob, kHclDataAt + 16, runtime);
  std::ranges::copy(kRuntimeData, blob.begin() + kHclRuntimeAt);
  return blob;
}

struct BadBlob {
  const char* name;
  const char* reason;
  const char* failing;
  void (*change)(Blob& blob);
};
constexpr BadBlob kBadBlobs[] = {
    {"edited", "one byte of the runtime data changed", "runtime_data_hash",
     [](Blob& blob) { blob[kHclRuntimeAt] ^= 1; }},
    {"other-hash", "SHA-256 said to be SHA-384", "runtime_data_hash",
     [](Blob& blob) { PutLe32(blob, kHclDataAt + 12, 2); }},
    {"magic", "it does not begin with HCLA", "wrapper",
     [](Blob& blob) { blob[0] ^= 1; }},
    {"tdx", "it says that it holds another kind of report", "wrapper",
     [](Blob& blob) { PutLe32(blob, kHclDataAt + 8, 4); }},
    {"sizes", "its sizes do not agree", "wrapper",
     [](Blob& blob) { PutLe32(blob, 0x08, kHclRuntimeAt); }},
    {"truncated", "the runtime data are cut short", "wrapper",
     [](Blob& blob) { blob.resize(kHclRuntimeAt + kRuntimeData.size() - 1); }},
};

std::vector<Entry> HclBlobs(const Line& line) {
  const char* const kind = "azure-hcl";
  const ReportBytes report = HclReport(line);
  const Blob good = HclBlob(report);
  std::vector<Entry> entries = {
      SimpleEntry(line, "hcl", kind, "a report bound to its runtime data", "",
                  {{"hcl", good}})};
  entries.front().embedded_report = HexSha256({report.begin(), report.end()});
  for (const BadBlob& bad : kBadBlobs) {
    Blob blob = good;
    bad.change(blob);
    entries.push_back(SimpleEntry(line, absl::StrCat("hcl-", bad.name), kind,
                                  bad.reason, bad.failing, {{"hcl", blob}}));
  }
  return entries;
}

}  // namespace

std::vector<Entry> EnvelopeEntries(const World& world,
                                   const std::vector<Entry>& reports) {
  std::vector<Entry> entries = HclBlobs(world.milan);
  for (const Line* line : {&world.milan, &world.genoa, &world.turin}) {
    const auto messages =
        Messages(*line, GoodReport(reports, *line, SignerKind::kVcek));
    entries.insert(entries.end(), messages.begin(), messages.end());
  }
  return entries;
}

}  // namespace corpus
