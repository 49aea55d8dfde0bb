// SPDX-License-Identifier: Apache-2.0
//
// The firmware model itself: reports that OpenSSL verifies up to the root,
// message rules, hierarchies on disk.
#include "emulator/firmware.h"

#include <string.h>
#include <sys/stat.h>

#include <filesystem>

#include "emulator/hierarchy.h"
#include "emulator/message_cipher.h"
#include "emulator/testing.h"
#include "gtest/gtest.h"
#include "openssl/bn.h"
#include "openssl/x509_vfy.h"
#include "sev/report.h"

namespace emulator {
namespace {

X509Ptr Decode(const Der& der) {
  const uint8_t* in = der.data();
  return X509Ptr(d2i_X509(nullptr, &in, static_cast<long>(der.size())));
}

class FirmwareTest : public testing::Test {
 protected:
  FirmwareTest() { firmware_.Launch(Measurement()); }

  static sev::LaunchDigest Measurement() {
    sev::LaunchDigest digest;
    digest.fill(0x5A);
    return digest;
  }

  // Seals `payload` as a guest with VMPCK `vmpck` would.
  Firmware::Reply Ask(
      base::Bytes payload, uint64_t sequence_number, uint8_t vmpck = 0,
      sev::MessageType type = sev::MessageType::kReportRequest) {
    const auto secrets = firmware_.SecretsPage();
    const auto key = sev::Vmpck::CopyFrom(std::span(secrets).subspan(
        sev::secrets_layout::Vmpck0::kOffset + 32u * vmpck, 32));
    Page page{};
    sev::MessageHeader header;
    header.sequence_number = sequence_number;
    header.type = type;
    header.size = static_cast<uint16_t>(payload.size());
    header.vmpck = vmpck;
    SealMessage(*key, header, payload, page);
    return firmware_.Request(page);
  }

  // Opens an answer under VMPCK0.
  sev::ReportResponse Open(const Firmware::Reply& reply) {
    const auto header = sev::ReadMessageHeader(reply.page);
    EXPECT_TRUE(header.ok());
    opened_.resize(header->size);
    EXPECT_TRUE(OpenMessage(firmware_.vmpck0_for_tests(), *header, reply.page,
                            opened_));
    const auto response = sev::ParseReportResponse(opened_);
    EXPECT_TRUE(response.ok());
    return *response;
  }

  Firmware firmware_{TestHierarchy()};
  std::vector<uint8_t> opened_;
};

std::array<uint8_t, sev::kReportRequestSize> ReportRequest(uint32_t vmpl = 0) {
  sev::ReportRequest request;
  request.vmpl = vmpl;
  request.report_data.fill(7);
  return sev::EncodeReportRequest(request);
}

TEST_F(FirmwareTest, ChainAndSignatureVerifyWithOpenssl) {
  const X509Ptr ark = Decode(TestHierarchy().ark());
  const X509Ptr ask = Decode(TestHierarchy().ask());
  const X509Ptr vcek = Decode(TestHierarchy().vcek());
  ASSERT_TRUE(ark && ask && vcek);

  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, ark.get());
  STACK_OF(X509)* between = sk_X509_new_null();
  sk_X509_push(between, ask.get());
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, vcek.get(), between);
  EXPECT_EQ(X509_verify_cert(context), 1)
      << X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  X509_STORE_CTX_free(context);
  sk_X509_free(between);
  X509_STORE_free(store);

  const auto reply = Ask(ReportRequest(), 1);
  ASSERT_EQ(reply.exit_info_2, 0u);
  const auto response = Open(reply);
  const auto report = sev::UnverifiedReport::Parse(response.report);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(base::Equal(report->measurement(), Measurement()));
  EXPECT_TRUE(base::Equal(report->chip_id(), TestHierarchy().chip_id()));
  EXPECT_EQ(report->policy(), 0x30000u);
  EXPECT_EQ(report->reported_tcb(), kEmulatedRawTcb);
  EXPECT_EQ(report->signing_key(), sev::SigningKey::kVcek);

  const auto number = [](base::Bytes little_endian) {
    return BN_lebin2bn(little_endian.data(),
                       static_cast<int>(little_endian.size()), nullptr);
  };
  const EcdsaSig signature(ECDSA_SIG_new());
  ECDSA_SIG_set0(signature.get(), number(report->signature_r()),
                 number(report->signature_s()));
  uint8_t* der = nullptr;
  const int der_size = i2d_ECDSA_SIG(signature.get(), &der);
  ASSERT_GT(der_size, 0);
  const EvpMdCtx verifier(EVP_MD_CTX_new());
  ASSERT_EQ(EVP_DigestVerifyInit(verifier.get(), nullptr, EVP_sha384(), nullptr,
                                 X509_get0_pubkey(vcek.get())),
            1);
  EXPECT_EQ(EVP_DigestVerify(verifier.get(), der, static_cast<size_t>(der_size),
                             report->signed_bytes().data(),
                             report->signed_bytes().size()),
            1);
  OPENSSL_free(der);
}

TEST_F(FirmwareTest, EverySubjectSaysEmulated) {
  for (const Der* der : {&TestHierarchy().ark(), &TestHierarchy().ask(),
                         &TestHierarchy().vcek()}) {
    const X509Ptr certificate = Decode(*der);
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
  const auto secrets = firmware_.SecretsPage();
  const auto key = sev::Vmpck::CopyFrom(
      std::span(secrets).subspan(sev::secrets_layout::Vmpck1::kOffset, 32));
  const auto header = sev::ReadMessageHeader(reply.page);
  std::vector<uint8_t> plain(header->size);
  ASSERT_TRUE(OpenMessage(*key, *header, reply.page, plain));
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
  EXPECT_EQ(
      Ask(ReportRequest(), 1, 0, sev::MessageType::kKeyRequest).exit_info_2,
      kFirmwareInvalidParameter);
  EXPECT_EQ(Ask(ReportRequest(), 1).exit_info_2, 0u);
}

TEST(Hierarchy, IsMadeOncePrivateAndKept) {
  const std::filesystem::path dir =
      std::filesystem::path(testing::TempDir()) / "hierarchy";
  bool created = false;
  const auto first = Hierarchy::Init(dir.string(), &created);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(created);
  struct stat info{};
  ASSERT_EQ(stat((dir / "private").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0700u);
  for (const char* name : {"ark.pem", "ask.pem", "vcek.pem"}) {
    ASSERT_EQ(stat((dir / "private" / name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 07777, 0600u) << name;
  }
  EXPECT_TRUE(std::filesystem::exists(dir / "public" / first->VcekFileName()));

  const auto second = Hierarchy::Init(dir.string(), &created);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_FALSE(created);
  EXPECT_EQ(first->chip_id(), second->chip_id());
  EXPECT_EQ(first->ark(), second->ark());
  EXPECT_EQ(first->vcek(), second->vcek());
}

TEST(Hierarchy, LoadSaysWhatToDo) {
  const auto loaded = Hierarchy::Load("/nonexistent");
  EXPECT_EQ(loaded.status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace emulator
