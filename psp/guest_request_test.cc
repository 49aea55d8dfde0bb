// SPDX-License-Identifier: Apache-2.0
//
// The guest's driver (Mbed TLS) against the emulated firmware (OpenSSL): what
// must work, and every way in which host or firmware can misbehave.
#include "svsm/platform/guest_request/guest_request.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "gtest/gtest.h"
#include "psp/fault.h"
#include "psp/firmware.h"
#include "psp/message_cipher.h"
#include "psp/testing.h"
#include "sev/reasons.h"
#include "sev/report.h"
#include "svsm/platform/guest_request/reasons.h"

namespace psp {
namespace {

using base::Code;
using base::Instant;
using base::Milliseconds;
using base::Result;
using base::Status;

constexpr base::Reason kHostSilent{'E', 'M', 250};  // Of this test only.

std::array<uint8_t, 64> SomeReportData() {
  std::array<uint8_t, 64> data;
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<uint8_t>(i);
  return data;
}

// A host that carries pages to and fro, and can be told to spoil them.
class Host final : public svsm::GuestRequestDoorbell {
 public:
  explicit Host(Firmware& firmware) : firmware_(firmware) {}

  Result<uint64_t> Exchange(sev::ConstMessagePage request,
                            sev::MessagePage response, Instant) override {
    response_was_clear_ =
        response_was_clear_ && base::AllZero(sev::ConstMessagePage(response));
    requests_.emplace_back(request.begin(), request.end());
    const Firmware::Reply reply = firmware_.Request(request);
    if (reply.delivery != Firmware::Delivery::kAnswer) {
      return Status(Code::kDeadlineExceeded, kHostSilent);
    }
    if (reply.exit_info_2 != 0) return reply.exit_info_2;
    std::copy(reply.page.begin(), reply.page.end(), response.begin());
    if (spoil) spoil(response);
    return uint64_t{0};
  }

  std::function<void(sev::MessagePage)> spoil;
  const std::vector<std::vector<uint8_t>>& requests() const {
    return requests_;
  }
  bool response_was_clear() const { return response_was_clear_; }

 private:
  Firmware& firmware_;
  std::vector<std::vector<uint8_t>> requests_;
  bool response_was_clear_ = true;
};

// One boot: launch, take the key from the secrets page, drive.
struct Boot {
  explicit Boot(Fault fault = Fault::kNone)
      : firmware(TestHierarchy(), fault), host(firmware) {
    sev::LaunchDigest measurement;
    measurement.fill(0x4D);
    firmware.Launch(measurement);
    auto page = firmware.SecretsPage();
    auto key = sev::TakeVmpck0(page);
    driver.emplace(*std::move(key), host, clock, Milliseconds{5000});
  }
  Status GetReport() { return driver->GetReport(SomeReportData(), report); }

  Firmware firmware;
  Host host;
  FakeClock clock;
  std::optional<svsm::GuestRequestDriver> driver;
  std::array<uint8_t, sev::kReportSize> report{};
};

TEST(GuestRequest, GetsReportsWithRisingSequenceNumbers) {
  Boot boot;
  for (uint64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(boot.GetReport().ok()) << i;
    const auto header = sev::ReadMessageHeader(
        std::span(boot.host.requests().back()).first<4096>());
    ASSERT_TRUE(header.ok());
    EXPECT_EQ(header->sequence_number, 2 * i + 1);
  }
  EXPECT_TRUE(boot.host.response_was_clear());
  const auto report = sev::UnverifiedReport::Parse(boot.report);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->version(), 3u);
  EXPECT_EQ(report->vmpl(), 0u);
  EXPECT_EQ(report->measurement()[47], 0x4D);
  EXPECT_EQ(report->cpuid(), kEmulatedCpuid);
}

TEST(GuestRequest, RequestPageCarriesNothingBeyondItsMessage) {
  Boot boot;
  ASSERT_TRUE(boot.GetReport().ok());
  const std::vector<uint8_t>& page = boot.host.requests().front();
  EXPECT_TRUE(base::AllZero(base::Bytes(page).subspan(
      sev::kMessageHeaderSize + sev::kReportRequestSize)));
  // Report data is not readable there.
  const auto data = SomeReportData();
  EXPECT_EQ(std::search(page.begin(), page.end(), data.begin(), data.end()),
            page.end());
}

TEST(GuestRequest, BusyIsRetriedWithTheSameBytes) {
  Boot boot(Fault::kBusyOnce);
  ASSERT_TRUE(boot.GetReport().ok());
  ASSERT_EQ(boot.host.requests().size(), 2u);
  EXPECT_EQ(boot.host.requests()[0], boot.host.requests()[1]);
}

TEST(GuestRequest, BusyForeverEndsAtTheDeadline) {
  Boot boot(Fault::kBusyForever);
  EXPECT_EQ(boot.GetReport(),
            Status(Code::kDeadlineExceeded, svsm::kFirmwareBusy));
  EXPECT_GT(boot.host.requests().size(), 2u);
  EXPECT_LT(boot.host.requests().size(), 100u);
  for (const auto& request : boot.host.requests()) {
    EXPECT_EQ(request, boot.host.requests()[0]);
  }
  EXPECT_EQ(boot.driver->last_exit_info_2(), kVmmBusy);
}

TEST(GuestRequest, EveryFailureHasItsReasonAndDestroysTheKey) {
  struct Row {
    Fault fault;
    Code code;
    base::Reason reason;
  };
  const Row rows[] = {
      {Fault::kGarbage, Code::kDataLoss, sev::kMessageHeaderUnknown},
      {Fault::kStale, Code::kDataLoss, svsm::kResponseWrongSequence},
      {Fault::kWrongSequence, Code::kDataLoss, svsm::kResponseWrongSequence},
      {Fault::kWrongReportData, Code::kDataLoss, svsm::kReportOtherData},
      {Fault::kWrongVmpl, Code::kDataLoss, svsm::kReportOtherVmpl},
      {Fault::kFirmwareError, Code::kUnavailable, svsm::kFirmwareError},
      {Fault::kSilent, Code::kDeadlineExceeded, kHostSilent},
      {Fault::kClose, Code::kDeadlineExceeded, kHostSilent},
  };
  for (const Row& row : rows) {
    Boot boot(row.fault);
    EXPECT_EQ(boot.GetReport(), Status(row.code, row.reason))
        << static_cast<int>(row.fault);
    EXPECT_TRUE(base::AllZero(boot.report));
    const size_t requests = boot.host.requests().size();
    EXPECT_EQ(boot.GetReport(),
              Status(Code::kFailedPrecondition, svsm::kVmpckGone));
    EXPECT_EQ(boot.host.requests().size(), requests);
  }
}

TEST(GuestRequest, HostErrorsOtherThanBusyAreFinal) {
  class Refusing final : public svsm::GuestRequestDoorbell {
   public:
    Result<uint64_t> Exchange(sev::ConstMessagePage, sev::MessagePage,
                              Instant) override {
      return uint64_t{1} << 32;
    }
  } host;
  FakeClock clock;
  std::array<uint8_t, 32> key;
  key.fill(1);
  svsm::GuestRequestDriver driver(*sev::Vmpck::CopyFrom(key), host, clock,
                                  Milliseconds{100});
  std::array<uint8_t, sev::kReportSize> report;
  EXPECT_EQ(driver.GetReport(SomeReportData(), report),
            Status(Code::kUnavailable, svsm::kHostRefused));
}

TEST(GuestRequest, SpoiltAnswersAreRefused) {
  namespace layout = sev::message_layout;
  struct Row {
    const char* what;
    std::function<void(sev::MessagePage)> spoil;
    base::Reason reason;
  };
  const auto flip = [](size_t at) {
    return [at](sev::MessagePage page) { page[at] ^= 1; };
  };
  const Row rows[] = {
      {"left empty",
       [](sev::MessagePage page) {
         std::fill(page.begin(), page.end(), uint8_t{0});
       },
       svsm::kResponseMissing},
      {"tag", flip(layout::AuthTag::kOffset), svsm::kResponseForged},
      {"sequence number", flip(layout::SequenceNumber::kOffset),
       svsm::kResponseWrongSequence},
      {"algorithm", flip(layout::Algorithm::kOffset),
       sev::kMessageHeaderUnknown},
      {"header version", flip(layout::HeaderVersion::kOffset),
       sev::kMessageHeaderUnknown},
      {"header size", flip(layout::HeaderSize::kOffset),
       sev::kMessageHeaderUnknown},
      {"type", flip(layout::Type::kOffset), svsm::kResponseWrongMessage},
      {"version", flip(layout::Version::kOffset), svsm::kResponseWrongMessage},
      {"size", flip(layout::Size::kOffset), svsm::kResponseForged},
      {"size over the page",
       [](sev::MessagePage page) { page[layout::Size::kOffset + 1] = 0xFF; },
       sev::kMessageTooLong},
      {"key", flip(layout::Vmpck::kOffset), svsm::kResponseWrongMessage},
      {"reserved, authenticated", flip(layout::Reserved40::kOffset),
       svsm::kResponseForged},
      {"first byte", flip(sev::kMessageHeaderSize), svsm::kResponseForged},
      {"last byte",
       flip(sev::kMessageHeaderSize + sev::kReportResponseSize - 1),
       svsm::kResponseForged},
  };
  for (const Row& row : rows) {
    Boot boot;
    boot.host.spoil = row.spoil;
    EXPECT_EQ(boot.GetReport().reason(), row.reason) << row.what;
    EXPECT_EQ(boot.GetReport().reason(), svsm::kVmpckGone) << row.what;
  }
}

TEST(GuestRequest, AReportThatTheFirmwareRefusesIsNone) {
  constexpr uint8_t kInvalidParameters = 0x16;
  Boot boot;
  boot.host.spoil = [&boot](sev::MessagePage page) {
    const auto header = sev::ReadMessageHeader(page);
    ASSERT_TRUE(header.ok());
    std::vector<uint8_t> payload(sev::kReportResponseSize);
    payload[0] = kInvalidParameters;
    SealMessage(boot.firmware.vmpck0_for_tests(), *header, payload, page);
  };
  EXPECT_EQ(boot.GetReport(), Status(Code::kUnavailable, svsm::kReportRefused));
  EXPECT_EQ(boot.GetReport().reason(), svsm::kVmpckGone);
}

TEST(GuestRequest, AnOldAnswerIsRefused) {
  Boot boot;
  Page first{};
  boot.host.spoil = [&](sev::MessagePage page) {
    std::copy(page.begin(), page.end(), first.begin());
  };
  ASSERT_TRUE(boot.GetReport().ok());
  boot.host.spoil = [&](sev::MessagePage page) {
    std::copy(first.begin(), first.end(), page.begin());
  };
  EXPECT_EQ(boot.GetReport().reason(), svsm::kResponseWrongSequence);
}

TEST(GuestRequest, DestroyLeavesNoKey) {
  Boot boot;
  ASSERT_TRUE(boot.GetReport().ok());
  const auto key = boot.firmware.vmpck0_for_tests().RevealSecret();
  const base::Bytes memory(
      // EDGE: looks at the object's bytes, as the test in QEMU does at RAM.
      reinterpret_cast<const uint8_t*>(&*boot.driver),
      sizeof(svsm::GuestRequestDriver));
  EXPECT_NE(std::search(memory.begin(), memory.end(), key.begin(), key.end()),
            memory.end());
  [[maybe_unused]] const svsm::VmpckDestroyed proof = boot.driver->Destroy();
  EXPECT_EQ(std::search(memory.begin(), memory.end(), key.begin(), key.end()),
            memory.end());
  EXPECT_EQ(boot.GetReport().reason(), svsm::kVmpckGone);
}

TEST(GuestRequest, ProofOfDestructionCannotBeMadeElsewhere) {
  static_assert(!std::is_default_constructible_v<svsm::VmpckDestroyed>);
  static_assert(!std::is_copy_constructible_v<svsm::VmpckDestroyed>);
}

}  // namespace
}  // namespace psp
