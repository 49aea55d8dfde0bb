// SPDX-License-Identifier: Apache-2.0
#include "sev/guest_message.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "sev/reasons.h"
#include "sev/report.h"
#include "sev/vectors_for_tests.h"

namespace sev {
namespace {

using Page = std::array<uint8_t, kMessagePageSize>;

Page Sample() {
  Page page{};
  WriteMessageHeader({.sequence_number = 0x1122334455667788,
                      .type = MessageType::kReportResponse,
                      .version = 1,
                      .size = kReportResponseSize,
                      .vmpck = 3},
                     page);
  return page;
}

TEST(GuestMessage, HeaderIsLaidOutAsSpecified) {
  const Page page = Sample();
  const std::array<uint8_t, 0x40 - 0x20> expected = {
      0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,  // MSG_SEQNO
      0,    0,    0,    0,    0,    0,    0,    0,     // reserved
      1,    1,    0x60, 0,                             // ALGO, versions, size
      6,    1,    0xC0, 4,                             // type, version, size
      0,    0,    0,    0,    3,    0,    0,    0};    // reserved, VMPCK
  EXPECT_TRUE(base::Equal(base::Bytes(page).subspan(0x20, 0x20), expected));
  EXPECT_EQ(MessageAad(page).data() - page.data(), 0x30);
  EXPECT_EQ(MessageAad(page).size(), 0x30u);
  const auto header = ReadMessageHeader(page);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->sequence_number, 0x1122334455667788u);
  EXPECT_EQ(header->type, MessageType::kReportResponse);
  EXPECT_EQ(header->size, kReportResponseSize);
  EXPECT_EQ(header->vmpck, 3);
}

TEST(GuestMessage, EveryFlippedBitOfAHeaderIsRefusedShownOrReserved) {
  const auto is_reserved = [](size_t at) {
    return (at >= 0x28 && at < 0x30) || (at >= 0x38 && at < 0x3C) || at > 0x3C;
  };
  const auto good = ReadMessageHeader(Sample());
  ASSERT_TRUE(good.ok());
  for (size_t bit = 8 * 0x20; bit < 8 * kMessageHeaderSize; ++bit) {
    Page page = Sample();
    page[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    const auto header = ReadMessageHeader(page);
    if (!header.ok()) continue;
    EXPECT_LE(header->size, kMessageMaxPayload) << bit;
    EXPECT_LT(header->vmpck, 4) << bit;
    const bool same =
        header->sequence_number == good->sequence_number &&
        header->type == good->type && header->version == good->version &&
        header->size == good->size && header->vmpck == good->vmpck;
    EXPECT_EQ(same, is_reserved(bit / 8)) << bit;
  }
}

TEST(GuestMessage, IvIsTheSequenceNumberZeroExtended) {
  EXPECT_EQ(MessageIv(0x0102), (std::array<uint8_t, 12>{2, 1}));
}

TEST(GuestMessage, WritingAHeaderLeavesNothingOfTheOldOne) {
  Page page;
  page.fill(0xFF);
  WriteMessageHeader({.sequence_number = 1}, page);
  EXPECT_EQ(page[0x1F], 0);
  EXPECT_EQ(page[0x5F], 0);
  EXPECT_EQ(page[0x60], 0xFF);
}

TEST(GuestMessage, OddHeadersAreRefused) {
  struct Row {
    const char* what;
    size_t at;
    uint8_t value;
    base::Reason reason;
  };
  const Row rows[] = {
      {"algorithm", 0x30, 0, kMessageHeaderUnknown},
      {"header version", 0x31, 2, kMessageHeaderUnknown},
      {"header size", 0x32, 0x61, kMessageHeaderUnknown},
      {"key", 0x3C, 4, kMessageHeaderUnknown},
      {"payload of 4001 bytes", 0x37, 0x10, kMessageTooLong},
  };
  for (const Row& row : rows) {
    Page page = Sample();
    page[row.at] = row.value;
    EXPECT_EQ(ReadMessageHeader(page).status(),
              base::Status(base::Code::kDataLoss, row.reason))
        << row.what;
  }
}

TEST(GuestMessage, ReportRequestRoundTripsAndEveryTruncationFails) {
  ReportRequest request;
  request.report_data[5] = 9;
  request.vmpl = 1;
  request.key_select = KeySelect::kVcek;
  const auto bytes = EncodeReportRequest(request);
  const auto parsed = ParseReportRequest(bytes);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->report_data, request.report_data);
  EXPECT_EQ(parsed->vmpl, 1u);
  EXPECT_EQ(parsed->key_select, KeySelect::kVcek);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(ParseReportRequest(base::Bytes(bytes).first(size)).ok());
  }
  auto reserved = bytes;
  reserved[0x5F] = 1;
  EXPECT_FALSE(ParseReportRequest(reserved).ok());
  auto key = bytes;
  key[0x44] = 3;
  EXPECT_FALSE(ParseReportRequest(key).ok());
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    const auto other = ParseReportRequest(flipped);
    if (other.ok()) EXPECT_EQ(EncodeReportRequest(*other), flipped) << bit;
  }
}

TEST(GuestMessage, ReportResponseHasOneSize) {
  std::vector<uint8_t> payload(kReportResponseSize + 1);
  payload[4] = 0xA0;
  payload[5] = 0x04;
  for (size_t size = 0; size <= payload.size(); ++size) {
    EXPECT_EQ(ParseReportResponse(base::Bytes(payload).first(size)).ok(),
              size == kReportResponseSize)
        << size;
  }
  payload[4] = 0xA1;
  EXPECT_FALSE(
      ParseReportResponse(base::Bytes(payload).first(kReportResponseSize))
          .ok());
  payload[0] = 0x16;
  const auto refused = ParseReportResponse(base::Bytes(payload).first(0x20));
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->status, kReportStatusInvalidParameters);
  EXPECT_TRUE(refused->report.empty());
}

TEST(GuestMessage, NoFlippedBitOfAReportResponseLeadsOutside) {
  std::vector<uint8_t> payload(kReportResponseSize);
  payload[4] = 0xA0;
  payload[5] = 0x04;
  for (size_t bit = 0; bit < 8 * payload.size(); ++bit) {
    payload[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    const auto response = ParseReportResponse(payload);
    // Bytes 0 to 3 are the status, 4 to 7 the size.
    EXPECT_EQ(response.ok(), bit < 32 || bit >= 64) << bit;
    if (response.ok() && bit < 32) {
      EXPECT_TRUE(response->report.empty()) << bit;
    } else if (response.ok()) {
      EXPECT_EQ(response->report.data(), payload.data() + 0x20) << bit;
      EXPECT_EQ(response->report.size(), kReportSize) << bit;
    }
    payload[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
  }
}

TEST(GuestMessage, KeyRequestIsLaidOutAsSpecified) {
  const auto bytes = EncodeKeyRequest({.root = RootKey::kVmrk,
                                       .key_select = KeySelect::kVlek,
                                       .fields = kKeyFieldMeasurement,
                                       .vmpl = 3,
                                       .guest_svn = 4,
                                       .tcb_version = 0x0102030405060708});
  const std::array<uint8_t, kKeyRequestSize> expected = {
      5, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0,
      3, 0, 0, 0, 4, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};
  EXPECT_EQ(bytes, expected);
  const auto parsed = ParseKeyRequest(bytes);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->root, RootKey::kVmrk);
  EXPECT_EQ(parsed->key_select, KeySelect::kVlek);
  EXPECT_EQ(EncodeKeyRequest(*parsed), expected);
}

TEST(GuestMessage, KeyRequestsOfAnotherSizeOrWithReservedBitsAreRefused) {
  const auto bytes = EncodeKeyRequest({});
  std::vector<uint8_t> longer(bytes.begin(), bytes.end());
  longer.push_back(0);
  for (size_t size = 0; size <= longer.size(); ++size) {
    EXPECT_EQ(ParseKeyRequest(base::Bytes(longer).first(size)).ok(),
              size == kKeyRequestSize)
        << size;
  }
  for (size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto flipped = bytes;
    flipped[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    const bool reserved = (bit >= 3 && bit < 64) || (bit >= 70 && bit < 128);
    const auto parsed = ParseKeyRequest(flipped);
    EXPECT_EQ(parsed.ok(), !reserved) << bit;
    if (parsed.ok()) EXPECT_EQ(EncodeKeyRequest(*parsed), flipped) << bit;
  }
  auto key_select = bytes;
  key_select[0] = 6;
  EXPECT_FALSE(ParseKeyRequest(key_select).ok());
}

TEST(GuestMessage, KeyResponseHasOneSizeAndAKeyOnSuccessOnly) {
  std::vector<uint8_t> payload(kKeyResponseSize + 1);
  for (size_t size = 0; size <= payload.size(); ++size) {
    EXPECT_EQ(ParseKeyResponse(base::Bytes(payload).first(size)).ok(),
              size == kKeyResponseSize)
        << size;
  }
  payload.resize(kKeyResponseSize);
  EXPECT_EQ(ParseKeyResponse(payload)->derived_key.size(), kDerivedKeySize);
  for (size_t bit = 0; bit < 32; ++bit) {
    auto refused = payload;
    refused[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    EXPECT_TRUE(ParseKeyResponse(refused)->derived_key.empty()) << bit;
  }
}

TEST(GuestMessage, AGenuineResponseParses) {
  const std::string folder = VectorsFolder();
  if (folder.empty()) GTEST_SKIP() << "FORELOCK_VECTORS is not set";
  // What Linux hands to user space: the payload, zero padded to 4000 bytes.
  const auto bytes = ReadVector(folder + "/open/msgrsp/msg-report-rsp-lit.bin");
  const auto response =
      ParseReportResponse(base::Bytes(bytes).first(kReportResponseSize));
  ASSERT_TRUE(response.ok());
  EXPECT_TRUE(UnverifiedReport::Parse(response->report).ok());
}

}  // namespace
}  // namespace sev
