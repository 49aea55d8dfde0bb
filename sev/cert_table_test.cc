// SPDX-License-Identifier: Apache-2.0
#include "sev/cert_table.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "sev/reasons.h"
#include "sev/vectors_for_tests.h"

namespace sev {
namespace {

constexpr std::array<uint8_t, 3> kVcekBytes = {1, 2, 3};
constexpr std::array<uint8_t, 5> kAskBytes = {4, 5, 6, 7, 8};
constexpr std::array<uint8_t, 2> kArkBytes = {9, 10};

std::vector<uint8_t> Sample() {
  const CertTableEntry entries[] = {{kGuidVcek, kVcekBytes},
                                    {kGuidVlek, {}},
                                    {kGuidAsk, kAskBytes},
                                    {kGuidArk, kArkBytes}};
  std::vector<uint8_t> table(256);
  const auto size = PackCertTable(entries, table);
  EXPECT_TRUE(size.ok());
  table.resize(*size);
  return table;
}

base::Reason ReasonOf(base::Bytes table) {
  return ParseCertTable(table).status().reason();
}

TEST(CertTable, WhatIsPackedParses) {
  const auto table = Sample();
  EXPECT_EQ(table.size(), 4 * kCertTableEntrySize + 10);
  const auto parsed = ParseCertTable(table);
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(base::Equal(parsed->vcek, kVcekBytes));
  EXPECT_TRUE(base::Equal(parsed->ask, kAskBytes));
  EXPECT_TRUE(base::Equal(parsed->ark, kArkBytes));
  EXPECT_TRUE(parsed->vlek.empty());
}

TEST(CertTable, NoCertificatesIsNoError) {
  EXPECT_TRUE(ParseCertTable({}).ok());
  const std::array<uint8_t, kCertTableEntrySize> only_end{};
  EXPECT_TRUE(ParseCertTable(only_end).ok());
}

TEST(CertTable, EveryTruncationFails) {
  const auto table = Sample();
  for (size_t size = 1; size < table.size(); ++size) {
    EXPECT_FALSE(ParseCertTable(base::Bytes(table).first(size)).ok()) << size;
  }
}

TEST(CertTable, NoFlippedBitLeadsOutsideOrIsLost) {
  auto table = Sample();
  const auto views = [](const CertTable& parsed) {
    return std::array{parsed.vcek, parsed.vlek, parsed.ask, parsed.ark,
                      parsed.crl};
  };
  for (size_t bit = 0; bit < 8 * table.size(); ++bit) {
    table[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    const auto parsed = ParseCertTable(table);
    table[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    if (!parsed.ok()) continue;
    for (const base::Bytes view : views(*parsed)) {
      if (view.empty()) continue;
      EXPECT_GE(view.data(), table.data() + 4 * kCertTableEntrySize) << bit;
      EXPECT_LE(view.data() + view.size(), table.data() + table.size()) << bit;
    }
    // In a certificate the bit is the certificate's; before that it changes
    // what is found, or where. Of the last entry only the GUID counts.
    if (bit / 8 < 3 * kCertTableEntrySize + sizeof(Guid)) {
      const auto good = ParseCertTable(table);
      EXPECT_FALSE(std::ranges::equal(views(*parsed), views(*good),
                                      [](base::Bytes a, base::Bytes b) {
                                        return a.data() == b.data() &&
                                               a.size() == b.size();
                                      }))
          << bit;
    }
  }
}

TEST(CertTable, EntriesMustBeInsideApartAndOnce) {
  struct Row {
    const char* what;
    size_t at;  // of a 32-bit value
    uint32_t value;
    base::Reason reason;
  };
  const Row rows[] = {
      {"offset outside", 16, 1000, kCertTableOutOfRange},
      {"offset in the header", 16, 90, kCertTableOutOfRange},
      {"length outside", 20, 11, kCertTableOutOfRange},
      {"length wraps", 20, 0xFFFFFFFF, kCertTableOutOfRange},
      {"empty", 20, 0, kCertTableOutOfRange},
      {"overlap", 20, 4, kCertTableOverlap},
  };
  for (const Row& row : rows) {
    auto table = Sample();
    base::StoreLe<uint32_t>(row.value,
                            std::span(table).subspan(row.at).first<4>());
    EXPECT_EQ(ReasonOf(table), row.reason) << row.what;
  }
  auto twice = Sample();
  std::ranges::copy(kGuidVcek, twice.begin() + kCertTableEntrySize);
  EXPECT_EQ(ReasonOf(twice), kCertTableDuplicate);
  std::array<uint8_t, kCertTableEntrySize> endless{1};
  endless[20] = 1;  // one byte at offset 0
  EXPECT_EQ(ReasonOf(endless), kCertTableUnterminated);
}

TEST(CertTable, TooManyEntriesAreRefusedBothWays) {
  std::array<CertTableEntry, kCertTableMaxEntries + 1> entries;
  for (CertTableEntry& entry : entries) entry = {kGuidCrl, kVcekBytes};
  std::vector<uint8_t> out(4096);
  EXPECT_EQ(PackCertTable(entries, out).status().reason(),
            kCertTableTooManyEntries);
  std::vector<uint8_t> many((kCertTableMaxEntries + 2) * kCertTableEntrySize);
  for (size_t i = 0; i <= kCertTableMaxEntries; ++i) {
    many[i * kCertTableEntrySize] = static_cast<uint8_t>(i + 1);
    many[i * kCertTableEntrySize + 16] = 1;
    many[i * kCertTableEntrySize + 20] = 1;
  }
  EXPECT_EQ(ReasonOf(many), kCertTableTooManyEntries);
}

TEST(CertTable, PackNeedsRoom) {
  const CertTableEntry entries[] = {{kGuidVcek, kVcekBytes}};
  std::vector<uint8_t> out(2 * kCertTableEntrySize + 2);
  EXPECT_FALSE(PackCertTable(entries, out).ok());
}

TEST(CertTable, TablesOfRealHosts) {
  const std::string folder = VectorsFolder();
  if (folder.empty()) GTEST_SKIP() << "FORELOCK_VECTORS is not set";
  struct Row {
    const char* name;
    bool parses;
  };
  const Row rows[] = {
      {"certtable-genuine-genoa", true},
      {"certtable-der-genoa", true},
      {"certtable-empty", true},
      {"certtable-vlek-only", true},
      {"certtable-duplicate-vcek-genoa", false},
      {"certtable-length-overflow-genoa", false},
      {"certtable-offset-oob-genoa", false},
      {"certtable-overlap-genoa", false},
      {"certtable-points-into-header-genoa", false},
      {"certtable-unterminated-genoa", false},
  };
  for (const Row& row : rows) {
    const auto bytes =
        ReadVector(folder + "/open/certtable/" + row.name + ".bin");
    EXPECT_EQ(ParseCertTable(bytes).ok(), row.parses) << row.name;
  }
  // GUIDs in another byte order are unknown ones.
  const auto mixed = ReadVector(
      folder + "/open/certtable/certtable-mixed-endian-guid-genoa.bin");
  const auto parsed = ParseCertTable(mixed);
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(parsed->vcek.empty());
}

}  // namespace
}  // namespace sev
