// SPDX-License-Identifier: Apache-2.0
#include "sev/report.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "sev/reasons.h"
#include "sev/vectors_for_tests.h"

namespace sev {
namespace {

using Raw = std::array<uint8_t, kReportSize>;

// Well-formed, version 5, every optional field filled.
Raw Sample(uint32_t version = 5) {
  namespace layout = report_layout;
  Raw raw{};
  const std::span<uint8_t, kReportSize> out(raw);
  PutLe<uint32_t, layout::Version>(version, out);
  PutLe<uint32_t, layout::SignatureAlgorithm>(1, out);
  PutLe<uint64_t, layout::Policy>(0x30000, out);
  PutLe<uint64_t, layout::ReportedTcb>(0xDB18000000000004, out);
  FieldOf<layout::ReportData>(out)[63] = 0xAB;
  if (version >= 3) FieldOf<layout::Cpuid>(out)[0] = 0x19;
  if (version >= 5) PutLe<uint64_t, layout::LaunchMitigations>(3, out);
  return raw;
}

base::Status Parse(base::Bytes bytes) {
  return UnverifiedReport::Parse(bytes).status();
}

TEST(Report, FieldsAreWhereTheSpecPutsThem) {
  Raw raw = Sample();
  raw[0x48] = (1 << 2) | 0b11;  // VLEK, chip key masked, author key
  raw[0x30] = 2;
  raw[0x1E8] = 29;
  raw[0x1E9] = 55;
  raw[0x1EA] = 1;
  const auto report = UnverifiedReport::Parse(raw);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->version(), 5u);
  EXPECT_EQ(report->policy(), 0x30000u);
  EXPECT_EQ(report->vmpl(), 2u);
  EXPECT_EQ(report->signing_key(), SigningKey::kVlek);
  EXPECT_TRUE(report->chip_key_masked());
  EXPECT_EQ(report->report_data()[63], 0xAB);
  EXPECT_EQ(report->reported_tcb(), 0xDB18000000000004u);
  EXPECT_EQ(report->cpuid()->family, 0x19);
  EXPECT_EQ(report->current_version(),
            (FirmwareVersion{.build = 29, .minor = 55, .major = 1}));
  EXPECT_TRUE(base::Equal(report->bytes(), raw));
  EXPECT_EQ(report->signed_bytes().size(), 0x2A0u);
  EXPECT_EQ(report->signature_r().data() - report->bytes().data(), 0x2A0);
}

TEST(Report, EveryOtherSizeFails) {
  std::vector<uint8_t> bytes(kReportSize + 1);
  std::ranges::copy(Sample(), bytes.begin());
  for (size_t size = 0; size <= bytes.size(); ++size) {
    EXPECT_EQ(Parse(base::Bytes(bytes).first(size)).ok(), size == kReportSize);
  }
}

TEST(Report, RefusesWhatItDoesNotKnow) {
  struct Row {
    const char* what;
    size_t at;
    uint8_t value;
    base::Reason reason;
  };
  const Row rows[] = {
      {"version 1", 0, 1, kReportUnknownVersion},
      {"version 6", 0, 6, kReportUnknownVersion},
      {"huge version", 3, 1, kReportUnknownVersion},
      {"algorithm", 0x34, 2, kReportUnknownSignatureAlgorithm},
      {"no algorithm", 0x34, 0, kReportUnknownSignatureAlgorithm},
      {"key info", 0x48, 0x20, kReportReservedNotZero},
      {"key info's top", 0x4B, 0x80, kReportReservedNotZero},
      {"signing key 2", 0x48, 2 << 2, kReportUnknownSigningKey},
      {"04C", 0x4C, 1, kReportReservedNotZero},
      {"18B", 0x18B, 1, kReportReservedNotZero},
      {"19F", 0x19F, 1, kReportReservedNotZero},
      {"1EB", 0x1EB, 1, kReportReservedNotZero},
      {"1EF", 0x1EF, 1, kReportReservedNotZero},
      {"208", 0x208, 1, kReportReservedNotZero},
      {"29F", 0x29F, 1, kReportReservedNotZero},
      {"330", 0x330, 1, kReportReservedNotZero},
      {"49F", 0x49F, 1, kReportReservedNotZero},
  };
  for (const Row& row : rows) {
    Raw raw = Sample();
    raw[row.at] = row.value;
    EXPECT_EQ(Parse(raw), base::Status(base::Code::kDataLoss, row.reason))
        << row.what;
  }
}

TEST(Report, VersionsDecideWhatIsReserved) {
  for (uint32_t version = 2; version <= 5; ++version) {
    EXPECT_TRUE(Parse(Sample(version)).ok()) << version;
    Raw with_cpuid = Sample(version);
    with_cpuid[0x189] = 1;
    EXPECT_EQ(Parse(with_cpuid).ok(), version >= 3) << version;
    Raw with_mitigations = Sample(version);
    with_mitigations[0x207] = 1;
    EXPECT_EQ(Parse(with_mitigations).ok(), version >= 5) << version;
  }
  EXPECT_FALSE(UnverifiedReport::Parse(Sample(2))->cpuid().has_value());
}

TEST(Report, EveryFaultIsFoundByItself) {
  using Fault = ReportFault;
  struct Row {
    Fault fault;
    size_t at;
    uint8_t value;
  };
  const Row rows[] = {
      {Fault::kVersion, 0, 6},
      {Fault::kSignatureAlgorithm, 0x34, 2},
      {Fault::kPolicyBit17, 0x0A, 0x01},
      {Fault::kPolicyReserved, 0x0B, 0x04},
      {Fault::kKeyInfoReserved, 0x48, 0x20},
      {Fault::kReserved04C, 0x4F, 1},
      {Fault::kReserved, 0x18B, 1},
      {Fault::kReserved, 0x29F, 1},
      {Fault::kSignaturePadding, 0x2A0 + 48, 1},
      {Fault::kSignaturePadding, 0x2E8 + 71, 1},
      {Fault::kSignaturePadding, 0x330, 1},
      {Fault::kSignaturePadding, 0x49F, 1},
      {Fault::kVmpl, 0x30, 4},
      {Fault::kVmpl, 0x33, 0xFF},
      {Fault::kChipKeyMasked, 0x48, 2},
      {Fault::kSigningKey, 0x48, 2 << 2},
      {Fault::kSigningKey, 0x48, 7 << 2},
  };
  EXPECT_TRUE(UnverifiedReport::FromBytes(Sample())->FindFaults().empty());
  for (const Row& row : rows) {
    Raw raw = Sample();
    raw[row.at] = row.value;
    ReportFaults faults = UnverifiedReport::FromBytes(raw)->FindFaults();
    for (uint32_t bit = 0; bit <= 10; ++bit) {
      const auto fault = static_cast<Fault>(1u << bit);
      EXPECT_EQ(faults.Has(fault), fault == row.fault) << row.at << " " << bit;
    }
  }
}

TEST(Report, ANewerVersionIsShownByTheNewestLayout) {
  Raw raw = Sample();
  raw[0] = 6;
  const auto report = UnverifiedReport::FromBytes(raw);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->launch_mitigations(), 3u);
  EXPECT_EQ(report->cpuid()->family, 0x19);
  EXPECT_FALSE(UnverifiedReport::Parse(raw).ok());
}

// A flipped bit is refused or shows in the bytes: nothing is normalised away.
TEST(Report, EveryBitIsKept) {
  const Raw original = Sample();
  for (size_t bit = 0; bit < 8 * kReportSize; ++bit) {
    Raw raw = original;
    raw[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    const auto report = UnverifiedReport::Parse(raw);
    if (report.ok()) EXPECT_TRUE(base::Equal(report->bytes(), raw)) << bit;
  }
}

TEST(Report, GenuineReportsParse) {
  const std::string folder = VectorsFolder();
  if (folder.empty()) GTEST_SKIP() << "FORELOCK_VECTORS is not set";
  int count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder + "/open/reports")) {
    // Others are altered or made up.
    const std::string name = entry.path().filename();
    if (!name.starts_with("milan-") && !name.starts_with("genoa-") &&
        !name.starts_with("turin-")) {
      continue;
    }
    const auto bytes = ReadVector(entry.path());
    EXPECT_TRUE(Parse(bytes).ok()) << name;
    ++count;
  }
  EXPECT_GT(count, 10);
}

}  // namespace
}  // namespace sev
