// SPDX-License-Identifier: Apache-2.0
#include "verifier/evidence/tcb_order.h"

#include <array>
#include <span>

#include "gtest/gtest.h"
#include "sev/wire_field.h"

namespace verifier {
namespace {

namespace layout = sev::report_layout;
using Parts = std::vector<std::string>;

// Each TCB with its bytes as they stand in a report, the highest first.
Parts Above(uint64_t current, uint64_t reported, uint64_t committed,
            sev::Product product) {
  std::array<uint8_t, sev::kReportSize> bytes{};
  const std::span<uint8_t, sev::kReportSize> out(bytes);
  sev::PutLe<uint64_t, layout::CurrentTcb>(current, out);
  sev::PutLe<uint64_t, layout::ReportedTcb>(reported, out);
  sev::PutLe<uint64_t, layout::CommittedTcb>(committed, out);
  return PartsAboveCurrentTcb(*sev::UnverifiedReport::FromBytes(bytes),
                              product);
}

TEST(PartsAboveCurrentTcb, NoneWhereAllAreAtMostCurrent) {
  for (const sev::Product product : sev::kProducts) {
    EXPECT_EQ(Above(0, 0, 0, product), Parts{});
    EXPECT_EQ(Above(~uint64_t{0}, ~uint64_t{0}, ~uint64_t{0}, product),
              Parts{});
    EXPECT_EQ(Above(0xDB18000000040402, 0xDB17000000040402, 0, product),
              Parts{});
  }
}

TEST(PartsAboveCurrentTcb, EachPartByItself) {
  using sev::Product;
  const struct {
    Product product;
    unsigned byte;
    const char* part;
  } rows[] = {
      {Product::kMilan, 0, "boot_loader"}, {Product::kMilan, 1, "tee"},
      {Product::kMilan, 6, "snp"},         {Product::kMilan, 7, "microcode"},
      {Product::kGenoa, 0, "boot_loader"}, {Product::kGenoa, 1, "tee"},
      {Product::kGenoa, 6, "snp"},         {Product::kGenoa, 7, "microcode"},
      {Product::kTurin, 0, "fmc"},         {Product::kTurin, 1, "boot_loader"},
      {Product::kTurin, 2, "tee"},         {Product::kTurin, 3, "snp"},
      {Product::kTurin, 7, "microcode"},
  };
  for (const auto& [product, byte, part] : rows) {
    const uint64_t one = uint64_t{1} << (8 * byte);
    // All others are far below: raw values are not compared.
    const uint64_t current = ~(uint64_t{0xFF} << (8 * byte));
    const std::string name(part);
    EXPECT_EQ(Above(current, one, 0, product),
              Parts{"reported " + name + " 1, current 0"});
    EXPECT_EQ(Above(current, 0, one, product),
              Parts{"committed " + name + " 1, current 0"});
  }
}

TEST(PartsAboveCurrentTcb, AllOfThemAreNamed) {
  EXPECT_EQ(Above(0x0200000000000001, 0x0300000000000002, 0x0100000000000103,
                  sev::Product::kGenoa),
            (Parts{"reported boot_loader 2, current 1",
                   "reported microcode 3, current 2",
                   "committed boot_loader 3, current 1",
                   "committed tee 1, current 0"}));
}

// They have no meaning that could be compared.
TEST(PartsAboveCurrentTcb, ReservedBytesAreNoParts) {
  EXPECT_EQ(Above(0, 0x0000FFFFFFFF0000, 0, sev::Product::kMilan), Parts{});
  EXPECT_EQ(Above(0, 0x00FFFFFF00000000, 0, sev::Product::kTurin), Parts{});
}

}  // namespace
}  // namespace verifier
