// SPDX-License-Identifier: Apache-2.0
#include "cli/describe_igvm.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "launch/igvm/igvm.h"
#include "launch/igvm/read_write.h"
#include "launch/igvm/sample_file.h"

namespace cli {
namespace {

TEST(DescribeIgvm, EveryHeaderHasANameAndItsFields) {
  igvm::SampleFile sample;
  const auto bytes = igvm::Write(sample.file);
  ASSERT_TRUE(bytes.ok());
  const auto file = igvm::Read(*bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  std::set<std::string> names;
  for (size_t i = 0; i < file->headers.size(); ++i) {
    const auto json = HeaderJson(i, file->headers[i]);
    names.insert(json["name"].get<std::string>());
    EXPECT_EQ(json["number"], i);
    EXPECT_TRUE(json["offset"].get<std::string>().starts_with("0x"));
    const uint32_t* mask = igvm::CompatibilityMaskOf(file->headers[i]);
    EXPECT_EQ(json.contains("compatibility_mask"), mask != nullptr) << json;
  }
  for (const char* name : {"supported platform",
                           "guest policy",
                           "relocatable region",
                           "page table relocation",
                           "CoRIM document",
                           "required memory",
                           "parameter area",
                           "memory map",
                           "VP count",
                           "parameter insert",
                           "SRAT",
                           "MADT",
                           "MMIO ranges",
                           "command line",
                           "device tree",
                           "environment info",
                           "page data",
                           "error range",
                           "VP context",
                           "SNP ID block",
                           "optional type 0x3f0"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST(DescribeIgvm, ValuesAreThoseOfTheHeader) {
  const igvm::Header page = {
      .type = static_cast<uint32_t>(igvm::HeaderType::kPageData),
      .body = igvm::PageData{.gpa = 0xABC000,
                             .compatibility_mask = 5,
                             .flags = igvm::kPageUnmeasured | 0x10,
                             .data_type = igvm::PageDataType::kSecrets}};
  const auto fields = HeaderFields(page);
  EXPECT_EQ(fields["gpa"], "0xabc000");
  EXPECT_EQ(fields["page_type"], "secrets");
  EXPECT_EQ(fields["flags"], "unmeasured, 0x10");
  EXPECT_EQ(fields["compatibility_mask"], "0x5");
  EXPECT_TRUE(DataOf(page).empty());
  const igvm::Header policy = {
      .type = static_cast<uint32_t>(igvm::HeaderType::kGuestPolicy),
      .body = igvm::GuestPolicy{.policy = 0xB0000}};
  EXPECT_EQ(HeaderFields(policy)["snp_bits"], "smt, debug");
}

TEST(DescribeIgvm, HexDumpHasEveryByteOnce) {
  std::vector<uint8_t> bytes(0x53);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = i < 0x40 ? 'A' : static_cast<uint8_t>(i);
  }
  const std::string dump = HexDump(bytes, 0x1000);
  EXPECT_EQ(dump,
            "000000001000  41 41 41 41 41 41 41 41 41 41 41 41 41 41 41 41  "
            "AAAAAAAAAAAAAAAA\n"
            "*\n"
            "000000001040  40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f  "
            "@ABCDEFGHIJKLMNO\n"
            "000000001050  50 51 52                                         "
            "PQR\n");
  EXPECT_EQ(HexDump({}, 0), "");
  // The last line is there even if it is as the one before.
  EXPECT_TRUE(
      absl::StrContains(HexDump(std::vector<uint8_t>(64), 0), "000000000030 "));
}

}  // namespace
}  // namespace cli
