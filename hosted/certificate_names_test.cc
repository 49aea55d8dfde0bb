// SPDX-License-Identifier: Apache-2.0
#include "hosted/certificate_names.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace hosted {
namespace {

constexpr uint64_t kTcb = 0x5100000004010A01;

TEST(CertificateNames, OfAVcekAreLowerCaseHex) {
  std::array<uint8_t, 64> chip_id{};
  chip_id[0] = 0xAB;
  EXPECT_EQ(VcekName(chip_id, kTcb),
            "vcek-ab" + std::string(126, '0') + "-5100000004010a01");
}

TEST(CertificateNames, OfAVlekStayInTheirFolder) {
  EXPECT_EQ(VlekName("CN=cc-us-east-2.example.com", kTcb),
            "vlek-cc-us-east-2.example.com-5100000004010a01");
  EXPECT_EQ(VlekName("CN=../..", 1), "vlek-..%2F..-0000000000000001");
  EXPECT_EQ(VlekName(std::string_view("a\0 %\xFF~", 6), 1),
            "vlek-a%00%20%25%FF%7E-0000000000000001");
  // Only the first, and only as it is written.
  EXPECT_EQ(VlekName("CN=CN=x", 1), "vlek-CN%3Dx-0000000000000001");
  EXPECT_EQ(VlekName("cn=x", 1), "vlek-cn%3Dx-0000000000000001");
}

TEST(CertificateNames, AVlekTableIsOfOneTcb) {
  const std::string name = VlekName("CN=cc.example.com", kTcb);
  EXPECT_TRUE(IsVlekTable(absl::StrCat(name, kCertificateTable), kTcb));
  EXPECT_FALSE(IsVlekTable(absl::StrCat(name, kCertificateTable), kTcb + 1));
  for (const char* end : {"", ".der", ".certs.Ab3dEf", ".CERTS"}) {
    EXPECT_FALSE(IsVlekTable(absl::StrCat(name, end), kTcb)) << end;
  }
  EXPECT_FALSE(IsVlekTable("vlek-5100000004010a01.certs", kTcb));
  EXPECT_FALSE(IsVlekTable("vlek--5100000004010a01.certs", kTcb));
  EXPECT_FALSE(IsVlekTable("vcek-a-5100000004010a01.certs", kTcb));
}

}  // namespace
}  // namespace hosted
