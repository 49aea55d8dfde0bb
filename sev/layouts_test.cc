// SPDX-License-Identifier: Apache-2.0
//
// Secrets page, PAGE_INFO, TCB: the small layouts.
#include <array>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "sev/page_info.h"
#include "sev/reasons.h"
#include "sev/secrets_page.h"
#include "sev/tcb.h"

namespace sev {
namespace {

using SecretsPage = std::array<uint8_t, kSecretsPageSize>;

SecretsPage Sample() {
  SecretsPage page{};
  page[0] = 3;
  for (size_t i = 0x20; i < 0xA0; ++i) page[i] = static_cast<uint8_t>(i);
  return page;
}

TEST(SecretsPage, TheKeyIsMovedOut) {
  SecretsPage page = Sample();
  const auto key = TakeVmpck0(page);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->size(), 32u);
  EXPECT_EQ(key->RevealSecret()[0], 0x20);
  EXPECT_EQ(key->RevealSecret()[31], 0x3F);
  EXPECT_TRUE(base::AllZero(base::Bytes(page).subspan(0x20, 32)));
  EXPECT_EQ(page[0x40], 0x40);  // VMPCK1 stays for the operating system.
  EXPECT_EQ(TakeVmpck0(page).status().reason(), kSecretsPageNoKey);
}

TEST(SecretsPage, UnknownVersionsAreRefused) {
  for (const uint8_t version : {0, 1, 5, 255}) {
    SecretsPage page = Sample();
    page[0] = version;
    EXPECT_EQ(TakeVmpck0(page).status().reason(), kSecretsPageUnknownVersion);
  }
}

// The key is what stands there, whatever else does.
TEST(SecretsPage, EveryFlippedBitIsRefusedOrLeavesTheKeyTaken) {
  for (size_t bit = 0; bit < 8 * kSecretsPageSize; ++bit) {
    SecretsPage page = Sample();
    page[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    const SecretsPage before = page;
    const auto key = TakeVmpck0(page);
    EXPECT_TRUE(key.ok() || bit < 32) << bit;  // the version
    if (!key.ok()) continue;
    const auto place = base::Bytes(before).subspan(0x20, kVmpckSize);
    EXPECT_TRUE(base::Equal(key->RevealSecret(), place)) << bit;
    EXPECT_TRUE(base::AllZero(base::Bytes(page).subspan(0x20, kVmpckSize)));
  }
}

TEST(PageInfo, IsLaidOutAsSpecified) {
  LaunchDigest digest;
  LaunchDigest contents;
  digest.fill(0xD1);
  contents.fill(0xC0);
  const auto info =
      MakePageInfo(digest, PageType::kNormal, contents, 0x1122334455667000);
  ASSERT_EQ(info.size(), 0x70u);
  EXPECT_EQ(info[0x00], 0xD1);
  EXPECT_EQ(info[0x2F], 0xD1);
  EXPECT_EQ(info[0x30], 0xC0);
  EXPECT_EQ(info[0x5F], 0xC0);
  const std::array<uint8_t, 16> tail = {0x70, 0,    1,    0,    0,    0,
                                        0,    0,    0x00, 0x70, 0x66, 0x55,
                                        0x44, 0x33, 0x22, 0x11};
  EXPECT_TRUE(base::Equal(base::Bytes(info).subspan(0x60), tail));
}

// By the firmware's own structure, [asp-fw]; tools that measure only pages
// without permissions differ and do not notice.
TEST(PageInfo, PermissionsAscendByVmpl) {
  EXPECT_EQ(page_info_layout::ImiPage::kOffset, 0x63u);
  EXPECT_EQ(page_info_layout::Vmpl1Permissions::kOffset, 0x65u);
  EXPECT_EQ(page_info_layout::Vmpl2Permissions::kOffset, 0x66u);
  EXPECT_EQ(page_info_layout::Vmpl3Permissions::kOffset, 0x67u);
}

TEST(Tcb, PartsLieWhereTheProductPutsThem) {
  const Tcb milan = DecodeTcb(0xDB18000000000104, Product::kMilan);
  EXPECT_EQ(milan,
            (Tcb{.boot_loader = 4, .tee = 1, .snp = 24, .microcode = 219}));
  EXPECT_EQ(DecodeTcb(0xDB18000000000104, Product::kGenoa), milan);
  const Tcb turin = DecodeTcb(0x4D00000003010201, Product::kTurin);
  EXPECT_EQ(
      turin,
      (Tcb{.fmc = 1, .boot_loader = 2, .tee = 1, .snp = 3, .microcode = 77}));
}

TEST(Tcb, IsComparedPartByPart) {
  const Tcb low = {.boot_loader = 4, .snp = 24, .microcode = 219};
  Tcb mixed = low;
  mixed.microcode = 220;
  mixed.snp = 23;
  EXPECT_FALSE(AtLeast(mixed, low));  // As raw values it would be greater.
  EXPECT_TRUE(AtLeast(low, low));
}

}  // namespace
}  // namespace sev
