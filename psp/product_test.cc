// SPDX-License-Identifier: Apache-2.0
//
// Reports of every product, signer and version: they parse, plain OpenSSL
// verifies them up to the root, and they say what such a platform says.
#include <string>
#include <tuple>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "psp/firmware_client.h"
#include "psp/openssl_verify.h"
#include "psp/testing.h"
#include "sev/guest_message.h"
#include "sev/report.h"

namespace psp {
namespace {

struct Answer {
  uint32_t status = 0xFFFF;
  std::vector<uint8_t> report;
};

Answer AskFor(sev::KeySelect key_select, const Hierarchy& hierarchy,
              const PlatformConfig& platform) {
  Firmware firmware(hierarchy, Fault::kNone, platform);
  firmware.Launch(GuestContext{});
  FirmwareClient client(firmware);
  const auto payload =
      client.Call(sev::EncodeReportRequest({.key_select = key_select}));
  const auto response = sev::ParseReportResponse(payload);
  if (!response.ok()) return {};
  return {response->status, {response->report.begin(), response->report.end()}};
}

using Kind = std::tuple<const ChipModel*, SignerKind, uint32_t>;

class ProductTest : public testing::TestWithParam<Kind> {};

TEST_P(ProductTest, ReportVerifiesWithOpenssl) {
  const auto& [model, signer, version] = GetParam();
  const bool vlek = signer == SignerKind::kVlek;
  const Hierarchy& made = TestHierarchy(*model, /*vlek=*/true);
  const Answer answer =
      AskFor(vlek ? sev::KeySelect::kVlekIfInstalled : sev::KeySelect::kVcek,
             made, {.report_version = version});
  const auto report = sev::UnverifiedReport::Parse(answer.report);
  ASSERT_TRUE(report.ok());
  const Der& leaf = vlek ? made.vlek() : made.vcek();
  EXPECT_TRUE(ReportSignatureVerifies(*report, leaf));
  EXPECT_FALSE(
      ReportSignatureVerifies(*report, vlek ? made.vcek() : made.vlek()));
  EXPECT_EQ(
      VerifyChainByOpenssl({.leaf = leaf,
                            .intermediate = vlek ? made.asvk() : made.ask(),
                            .root = made.ark(),
                            .crl = made.crl()}),
      "ok");
  EXPECT_EQ(report->version(), version);
  EXPECT_EQ(report->signing_key(),
            vlek ? sev::SigningKey::kVlek : sev::SigningKey::kVcek);
  EXPECT_EQ(report->cpuid().has_value(), version >= 3);
  if (report->cpuid()) EXPECT_EQ(*report->cpuid(), model->cpuid);
  EXPECT_EQ(sev::DecodeTcb(report->reported_tcb(), model->product), model->tcb);
  EXPECT_TRUE(base::Equal(report->chip_id(), made.chip_id()));
  EXPECT_EQ(base::AllZero(report->bytes().subspan<0x1F8, 16>()), version < 5);
  EXPECT_EQ(base::AllZero(report->chip_id().subspan<8>()),
            model->product == sev::Product::kTurin);
}

std::string NameOf(const testing::TestParamInfo<Kind>& info) {
  const auto& [model, signer, version] = info.param;
  return std::string(model->name) +
         (signer == SignerKind::kVcek ? "_vcek_v" : "_vlek_v") +
         std::to_string(version);
}

INSTANTIATE_TEST_SUITE_P(All, ProductTest,
                         testing::Combine(testing::ValuesIn(kChipModels),
                                          testing::Values(SignerKind::kVcek,
                                                          SignerKind::kVlek),
                                          testing::Values(2u, 3u, 5u)),
                         NameOf);

TEST(Leaf, ExtensionsAreThoseOfGenuineLeaves) {
  const auto arcs = [](const CertificateSpec& spec) {
    std::string all;
    for (const AmdExtension& each : spec.extensions) all += each.arc + " ";
    return all;
  };
  const ChipId chip_id{};
  EXPECT_EQ(arcs(VcekSpec(kMilan, chip_id, nullptr, nullptr)),
            "1 2 3.1 3.2 3.4 3.5 3.6 3.7 3.3 3.8 4 ");
  EXPECT_EQ(arcs(VcekSpec(kTurin, chip_id, nullptr, nullptr)),
            "1 2 3.9 3.1 3.2 3.3 3.5 3.6 3.7 3.8 4 ");
  EXPECT_EQ(arcs(VlekSpec(kGenoa, kTestCspId, nullptr, nullptr)),
            "1 2 3.1 3.2 3.4 3.5 3.6 3.7 3.3 3.8 5 ");
  auto turin = VcekSpec(kTurin, chip_id, nullptr, nullptr);
  EXPECT_EQ(turin.Find("4")->value.size(), 8u);
  EXPECT_EQ(turin.Find("1")->value, (Der{2, 1, 1}));
  auto milan = VlekSpec(kMilan, kTestCspId, nullptr, nullptr);
  EXPECT_EQ(milan.Find("3.8")->value, (Der{2, 2, 0, 219}));
  EXPECT_EQ(milan.Find("2")->value, (Der{0x16, 5, 'M', 'i', 'l', 'a', 'n'}));
}

TEST(KeySelect, AVlekThatIsNotLoadedIsRefused) {
  const Answer refused = AskFor(sev::KeySelect::kVlek, TestHierarchy(), {});
  EXPECT_EQ(refused.status, sev::kReportStatusInvalidKeySelect);
  EXPECT_TRUE(refused.report.empty());
  const Answer loaded =
      AskFor(sev::KeySelect::kVlek, TestHierarchy(kMilan, /*vlek=*/true), {});
  EXPECT_EQ(loaded.status, sev::kReportStatusSuccess);
}

TEST(Masks, AMaskedChipIdIsZeroAndSigned) {
  const Answer answer =
      AskFor(sev::KeySelect::kVcek, TestHierarchy(), {.mask_chip_id = true});
  const auto report = sev::UnverifiedReport::Parse(answer.report);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(base::AllZero(report->chip_id()));
  EXPECT_TRUE(ReportSignatureVerifies(*report, TestHierarchy().vcek()));
}

TEST(Masks, AMaskedChipKeySignsNothing) {
  const Answer answer =
      AskFor(sev::KeySelect::kVcek, TestHierarchy(), {.mask_chip_key = true});
  const auto report = sev::UnverifiedReport::Parse(answer.report);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->chip_key_masked());
  EXPECT_EQ(report->signing_key(), sev::SigningKey::kNone);
  EXPECT_TRUE(base::AllZero(report->signature_r()));
  EXPECT_TRUE(base::AllZero(report->signature_s()));
}

TEST(Masks, AMaskedChipKeyLeavesTheVlek) {
  const Hierarchy& hierarchy = TestHierarchy(kMilan, /*vlek=*/true);
  for (const auto select :
       {sev::KeySelect::kVlek, sev::KeySelect::kVlekIfInstalled}) {
    const Answer answer = AskFor(select, hierarchy, {.mask_chip_key = true});
    const auto report = sev::UnverifiedReport::Parse(answer.report);
    ASSERT_TRUE(report.ok());
    EXPECT_TRUE(report->chip_key_masked());
    EXPECT_EQ(report->signing_key(), sev::SigningKey::kVlek);
    EXPECT_TRUE(ReportSignatureVerifies(*report, hierarchy.vlek()));
  }
}

}  // namespace
}  // namespace psp
