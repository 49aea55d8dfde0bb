// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/wrapped_report.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "sev/cert_table.h"
#include "sev/guest_message.h"
#include "sev/report.h"
#include "sev/vectors_for_tests.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

using Blob = std::vector<uint8_t>;

constexpr size_t kHeader = 0x20;
constexpr size_t kRequestData = 0x4C0;
constexpr size_t kRuntime = 0x4D4;

void Put32(Blob& blob, size_t at, uint32_t value) {
  base::StoreLe<uint32_t>(value, std::span(blob).subspan(at).first<4>());
}

Blob Response(size_t padding) {
  Blob blob(sev::kReportResponseSize + padding);
  Put32(blob, 4, sev::kReportSize);
  std::fill_n(blob.begin() + kHeader, sev::kReportSize, uint8_t{0xA5});
  return blob;
}

template <size_t kSize>
void Bind(Blob& blob, const std::array<uint8_t, kSize>& digest) {
  const auto at =
      blob.begin() + kHeader + sev::report_layout::ReportData::kOffset;
  std::fill_n(at, 64, uint8_t{0});
  std::ranges::copy(digest, at);
}

Blob Hcl(std::string_view runtime, size_t padding) {
  Blob blob(kRuntime + runtime.size() + padding);
  Put32(blob, 0x00, 0x414C4348);
  Put32(blob, 0x04, 2);
  Put32(blob, 0x08, static_cast<uint32_t>(kRuntime + runtime.size()));
  Put32(blob, 0x0C, 2);
  std::fill_n(blob.begin() + kHeader, sev::kReportSize, uint8_t{0xA5});
  Put32(blob, kRequestData, static_cast<uint32_t>(20 + runtime.size()));
  Put32(blob, kRequestData + 4, 1);
  Put32(blob, kRequestData + 8, 2);
  Put32(blob, kRequestData + 12, 1);
  Put32(blob, kRequestData + 16, static_cast<uint32_t>(runtime.size()));
  std::ranges::copy(runtime, blob.begin() + kRuntime);
  Bind(blob, ossl::Sha256::Of(ossl::AsBytes(runtime)));
  return blob;
}

constexpr std::string_view kJson = R"({"keys":[]})";

TEST(UnwrapMsgReportRsp, FindsTheReport) {
  for (const size_t padding :
       {size_t{0}, size_t{1}, kReportResponseBuffer - 0x4C0}) {
    const Blob blob = Response(padding);
    const auto report = UnwrapMsgReportRsp(blob);
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->data(), blob.data() + kHeader);
    EXPECT_EQ(report->size(), sev::kReportSize);
  }
}

TEST(UnwrapMsgReportRsp, RefusesEveryTruncationAndEnvelopeBit) {
  const Blob good = Response(16);
  for (size_t size = 0; size < sev::kReportResponseSize; ++size) {
    EXPECT_FALSE(UnwrapMsgReportRsp(base::Bytes(good).first(size)).ok());
  }
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Blob blob = good;
    blob[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    const bool inside =
        bit / 8 >= kHeader && bit / 8 < sev::kReportResponseSize;
    EXPECT_EQ(UnwrapMsgReportRsp(blob).ok(), inside) << "bit " << bit;
  }
  EXPECT_FALSE(
      UnwrapMsgReportRsp(Response(kReportResponseBuffer - 0x4C0 + 1)).ok());
}

TEST(UnwrapMsgReportRsp, TellsARefusalFromDamage) {
  Blob blob = Response(0);
  Put32(blob, 0, sev::kReportStatusInvalidKeySelect);
  EXPECT_EQ(FindingFrom(UnwrapMsgReportRsp(blob).status()).reason,
            kWrappedReportRefused);
  blob = Response(0);
  blob[4] = 0;
  EXPECT_EQ(FindingFrom(UnwrapMsgReportRsp(blob).status()).reason,
            kWrappedReportMalformed);
}

TEST(ParseAzureHcl, FindsReportAndRuntimeData) {
  for (const size_t padding : {size_t{0}, size_t{200}}) {
    const Blob blob = Hcl(kJson, padding);
    const auto hcl = ParseAzureHcl(blob);
    ASSERT_TRUE(hcl.ok()) << hcl.status();
    EXPECT_EQ(hcl->report.data(), blob.data() + kHeader);
    EXPECT_EQ(hcl->hash, HclHash::kSha256);
    EXPECT_TRUE(base::Equal(hcl->runtime_data, ossl::AsBytes(kJson)));
    EXPECT_TRUE(RuntimeDataIsBound(*hcl));
  }
}

TEST(ParseAzureHcl, KnowsEveryHash) {
  Blob blob = Hcl(kJson, 0);
  blob[kRequestData + 12] = 2;
  EXPECT_FALSE(RuntimeDataIsBound(*ParseAzureHcl(blob)));
  Bind(blob, ossl::Sha384::Of(ossl::AsBytes(kJson)));
  EXPECT_TRUE(RuntimeDataIsBound(*ParseAzureHcl(blob)));
  blob[kRequestData + 12] = 3;
  EXPECT_FALSE(RuntimeDataIsBound(*ParseAzureHcl(blob)));
  Bind(blob, ossl::Sha512::Of(ossl::AsBytes(kJson)));
  EXPECT_TRUE(RuntimeDataIsBound(*ParseAzureHcl(blob)));
  for (const uint8_t unknown : {0, 4}) {
    blob[kRequestData + 12] = unknown;
    EXPECT_FALSE(ParseAzureHcl(blob).ok());
  }
}

TEST(ParseAzureHcl, RefusesEveryTruncation) {
  const Blob good = Hcl(kJson, 8);
  for (size_t size = 0; size < good.size() - 8; ++size) {
    EXPECT_FALSE(ParseAzureHcl(base::Bytes(good).first(size)).ok()) << size;
  }
}

TEST(ParseAzureHcl, NoFlippedBitStaysUnnoticed) {
  const Blob good = Hcl(kJson, 8);
  // The host's request type and the report outside of REPORT_DATA are nothing
  // that this envelope protects.
  const auto is_free = [](size_t bit) {
    const size_t byte = bit / 8;
    return (byte >= 0x0C && byte < 0x10) ||
           (byte >= kHeader && byte < kHeader + 0x50) ||
           (byte >= kHeader + 0x90 && byte < kRequestData);
  };
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Blob blob = good;
    blob[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    const auto hcl = ParseAzureHcl(blob);
    EXPECT_EQ(hcl.ok() && RuntimeDataIsBound(*hcl), is_free(bit))
        << "bit " << bit;
  }
}

TEST(ParseAzureHcl, RefusesSizesThatWrap) {
  for (const uint32_t size : {0xFFFFFFFFu, 0xFFFFFFECu, 0x80000000u}) {
    Blob blob = Hcl(kJson, 0);
    Put32(blob, kRequestData + 16, size);
    Put32(blob, kRequestData, size + 20);
    Put32(blob, 0x08, size + 0x4D4);
    EXPECT_FALSE(ParseAzureHcl(blob).ok());
  }
}

// A report, and a table of a VCEK and an ARK.
Blob WithTable() {
  const Blob vcek(300, 0x30), ark(200, 0x31);
  const sev::CertTableEntry entries[] = {{sev::kGuidVcek, vcek},
                                         {sev::kGuidArk, ark}};
  Blob blob(sev::kReportSize + 1024, 0xA5);
  const auto size =
      sev::PackCertTable(entries, std::span(blob).subspan(sev::kReportSize));
  blob.resize(sev::kReportSize + *size);
  return blob;
}

TEST(SplitReportThenTable, FindsBoth) {
  const Blob blob = WithTable();
  const auto parts = SplitReportThenTable(blob);
  ASSERT_TRUE(parts.ok()) << parts.status();
  EXPECT_EQ(parts->report.data(), blob.data());
  EXPECT_EQ(parts->report.size(), sev::kReportSize);
  EXPECT_EQ(parts->table.size(), blob.size() - sev::kReportSize);
  EXPECT_EQ(sev::ParseCertTable(parts->table)->ark.size(), 200u);
  // A host that has no certificates.
  EXPECT_TRUE(SplitReportThenTable(Blob(sev::kReportSize + 24)).ok());
}

TEST(SplitReportThenTable, RefusesEveryTruncation) {
  const Blob good = WithTable();
  for (size_t size = 0; size < good.size(); ++size) {
    const auto parts = SplitReportThenTable(base::Bytes(good).first(size));
    ASSERT_FALSE(parts.ok()) << size;
    EXPECT_EQ(FindingFrom(parts.status()).reason, kWrappedReportMalformed);
  }
}

// Offsets and lengths hold the table together; all else is what is inside.
TEST(SplitReportThenTable, FlippedBits) {
  const Blob good = WithTable();
  constexpr size_t kEntries = sev::kReportSize;
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    Blob blob = good;
    blob[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    const size_t byte = bit / 8;
    const auto parts = SplitReportThenTable(blob);
    const bool inside =
        byte < kEntries || byte >= kEntries + 3 * sev::kCertTableEntrySize;
    if (inside) EXPECT_TRUE(parts.ok()) << "bit " << bit;
    if (!parts.ok()) continue;
    const auto table = sev::ParseCertTable(parts->table);
    EXPECT_TRUE(table.ok()) << "bit " << bit;
  }
  // Of the first entry's offset each bit leads into the header, out of the
  // table, or into the other certificate.
  for (size_t bit = 0; bit < 32; ++bit) {
    Blob blob = good;
    blob[kEntries + 16 + bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    EXPECT_FALSE(SplitReportThenTable(blob).ok()) << "bit " << bit;
  }
}

TEST(WrappedReport, GenuineOnes) {
  const std::string folder = sev::VectorsFolder();
  if (folder.empty()) GTEST_SKIP() << "FORELOCK_VECTORS is not set";
  const auto blob =
      sev::ReadVector(folder + "/open/hcl/hcl-azure-fc4e6560.bin");
  const auto hcl = ParseAzureHcl(blob);
  ASSERT_TRUE(hcl.ok()) << hcl.status();
  EXPECT_TRUE(RuntimeDataIsBound(*hcl));
  const auto payload =
      sev::ReadVector(folder + "/open/msgrsp/msg-report-rsp-lit.bin");
  EXPECT_TRUE(UnwrapMsgReportRsp(payload).ok());
}

}  // namespace
}  // namespace verifier
