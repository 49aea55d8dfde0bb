// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/cert_table_places.h"

#include <array>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "sev/cert_table.h"
#include "sev/report.h"

namespace verifier {
namespace {

using File = std::vector<uint8_t>;

const File kVcek = {1}, kVlek = {2}, kAsk = {3}, kArk = {4}, kCrl = {5};

std::array<uint8_t, sev::kReportSize> ReportBy(sev::SigningKey key) {
  std::array<uint8_t, sev::kReportSize> report{};
  // KEY_INFO: SIGNING_KEY stands in bits 4:2.
  report[sev::report_layout::KeyInfo::kOffset] =
      static_cast<uint8_t>(static_cast<uint32_t>(key) << 2);
  return report;
}

TEST(PlacesOf, TheReportSaysWhichLeaf) {
  const sev::CertTable both = {
      .vcek = kVcek, .vlek = kVlek, .ask = kAsk, .ark = kArk, .crl = kCrl};
  const auto by_vcek = ReportBy(sev::SigningKey::kVcek);
  const auto by_vlek = ReportBy(sev::SigningKey::kVlek);
  const CertificateSet set = PlacesOf(both, by_vcek);
  EXPECT_TRUE(base::Equal(set.leaf, kVcek));
  EXPECT_TRUE(base::Equal(set.intermediate, kAsk));
  EXPECT_TRUE(base::Equal(set.root, kArk));
  EXPECT_TRUE(base::Equal(set.crl, kCrl));
  EXPECT_TRUE(base::Equal(PlacesOf(both, by_vlek).leaf, kVlek));
  // The wrong one is judged too, and no report is no VLEK's.
  EXPECT_TRUE(base::Equal(PlacesOf({.vcek = kVcek}, by_vlek).leaf, kVcek));
  EXPECT_TRUE(base::Equal(PlacesOf({.vlek = kVlek}, by_vcek).leaf, kVlek));
  EXPECT_TRUE(base::Equal(PlacesOf(both, {}).leaf, kVcek));
  EXPECT_TRUE(PlacesOf({}, by_vcek).leaf.empty());
}

TEST(LooksLikeCertTable, ByItsFirstGuid) {
  for (const sev::Guid& guid : {sev::kGuidVcek, sev::kGuidVlek, sev::kGuidAsk,
                                sev::kGuidArk, sev::kGuidCrl, sev::Guid{}}) {
    File table(guid.begin(), guid.end());
    table.resize(sev::kCertTableEntrySize - 1);
    EXPECT_FALSE(LooksLikeCertTable(table));
    table.push_back(0);
    EXPECT_TRUE(LooksLikeCertTable(table));
    for (size_t bit = 0; bit < sizeof(sev::Guid) * 8; ++bit) {
      table[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      EXPECT_FALSE(LooksLikeCertTable(table)) << bit;
      table[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    }
  }
  EXPECT_FALSE(LooksLikeCertTable({}));
  EXPECT_FALSE(LooksLikeCertTable(File(24, 0x30)));
}

}  // namespace
}  // namespace verifier
