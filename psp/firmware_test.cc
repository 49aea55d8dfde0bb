// SPDX-License-Identifier: Apache-2.0
//
// The firmware model itself: message rules, keys, what a report says.
#include "psp/firmware.h"

#include "gtest/gtest.h"
#include "hosted/openssl/openssl.h"
#include "psp/firmware_client.h"
#include "psp/hierarchy.h"
#include "psp/message_cipher.h"
#include "psp/openssl_verify.h"
#include "psp/testing.h"
#include "sev/report.h"

namespace psp {
namespace {

using hosted::openssl::X509Ptr;

class FirmwareTest : public testing::Test {
 protected:
  FirmwareTest() { firmware_.Launch(Measurement()); }

  static sev::LaunchDigest Measurement() {
    sev::LaunchDigest digest;
    digest.fill(0x5A);
    return digest;
  }

  Firmware::Reply Ask(
      base::Bytes payload, uint64_t sequence_number, uint8_t vmpck = 0,
      sev::MessageType type = sev::MessageType::kReportRequest) {
    return client_.Ask(payload, sequence_number, vmpck, type);
  }

  Firmware firmware_{TestHierarchy()};
  FirmwareClient client_{firmware_};
};

std::array<uint8_t, sev::kReportRequestSize> ReportRequest(uint32_t vmpl = 0) {
  sev::ReportRequest request;
  request.vmpl = vmpl;
  request.report_data.fill(7);
  return sev::EncodeReportRequest(request);
}

TEST_F(FirmwareTest, ReportSaysWhatWasLaunched) {
  const auto answer = client_.Open(Ask(ReportRequest(), 1));
  const auto response = sev::ParseReportResponse(answer);
  ASSERT_TRUE(response.ok());
  const auto report = sev::UnverifiedReport::Parse(response->report);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(base::Equal(report->measurement(), Measurement()));
  EXPECT_TRUE(base::Equal(report->chip_id(), TestHierarchy().chip_id()));
  EXPECT_EQ(report->version(), 3u);
  EXPECT_EQ(report->policy(), 0x30000u);
  EXPECT_EQ(report->reported_tcb(), kEmulatedRawTcb);
  EXPECT_EQ(report->signing_key(), sev::SigningKey::kVcek);
  EXPECT_TRUE(ReportSignatureVerifies(*report, TestHierarchy().vcek()));
}

TEST_F(FirmwareTest, EverySubjectSaysEmulated) {
  const Hierarchy& hierarchy = TestHierarchy(kTurin, /*vlek=*/true);
  for (const Der* der : {&hierarchy.ark(), &hierarchy.ask(), &hierarchy.vcek(),
                         &hierarchy.asvk(), &hierarchy.vlek()}) {
    const X509Ptr certificate = DecodeCertificate(*der);
    ASSERT_TRUE(certificate);
    char text[256] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()),
                              NID_description, text, sizeof(text));
    EXPECT_STREQ(text, kEmulatedMark);
  }
}

TEST_F(FirmwareTest, OldAndSkippedSequenceNumbersAreRefused) {
  EXPECT_EQ(Ask(ReportRequest(), 0).exit_info_2, kFirmwareBadMeasurement);
  EXPECT_EQ(Ask(ReportRequest(), 2).exit_info_2, kFirmwareBadMeasurement);
  EXPECT_EQ(Ask(ReportRequest(), 1).exit_info_2, 0u);
  EXPECT_EQ(Ask(ReportRequest(), 1).exit_info_2, kFirmwareBadMeasurement);
  EXPECT_EQ(Ask(ReportRequest(), 3).exit_info_2, 0u);
}

TEST_F(FirmwareTest, EachKeyCountsForItself) {
  EXPECT_EQ(Ask(ReportRequest(), 1, 0).exit_info_2, 0u);
  EXPECT_EQ(Ask(ReportRequest(2), 1, 2).exit_info_2, 0u);
}

TEST_F(FirmwareTest, ALesserKeyCannotAskForVmpl0) {
  const auto reply = Ask(ReportRequest(0), 1, 1);
  ASSERT_EQ(reply.exit_info_2, 0u);
  const auto plain = client_.Open(reply, 1);
  EXPECT_EQ(sev::ParseReportResponse(plain)->status,
            sev::kReportStatusInvalidParameters);
}

TEST_F(FirmwareTest, LaunchMakesNewKeys) {
  const auto before = firmware_.SecretsPage();
  Page old_request{};
  sev::MessageHeader header;
  header.sequence_number = 1;
  header.size = sev::kReportRequestSize;
  SealMessage(firmware_.vmpck0_for_tests(), header, ReportRequest(),
              old_request);
  firmware_.Launch(Measurement());
  EXPECT_NE(before, firmware_.SecretsPage());
  EXPECT_EQ(firmware_.Request(old_request).exit_info_2,
            kFirmwareBadMeasurement);
}

TEST_F(FirmwareTest, OddRequestsGetAnErrorAndNoAnswer) {
  EXPECT_EQ(firmware_.Request(Page{}).exit_info_2, kFirmwareInvalidParameter);
  Page noise;
  noise.fill(0xFF);
  EXPECT_EQ(firmware_.Request(noise).exit_info_2, kFirmwareInvalidParameter);
  EXPECT_EQ(Ask({}, 1).exit_info_2, kFirmwareInvalidParameter);
  for (const auto type :
       {sev::MessageType::kKeyRequest, sev::MessageType::kKeyResponse,
        sev::MessageType{7}}) {
    EXPECT_EQ(Ask(ReportRequest(), 1, 0, type).exit_info_2,
              kFirmwareInvalidParameter);
  }
  EXPECT_EQ(Ask(ReportRequest(), 1).exit_info_2, 0u);
}

}  // namespace
}  // namespace psp
