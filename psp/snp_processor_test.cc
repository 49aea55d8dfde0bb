// SPDX-License-Identifier: Apache-2.0
//
// The guest's side of guest requests over the GHCB, driver and doorbell, with
// the emulated firmware behind a hypervisor that may do anything.
#include "svsm/platform/snp_processor.h"

#include <string.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "gtest/gtest.h"
#include "proxy/shared_range.h"
#include "psp/fault.h"
#include "psp/firmware.h"
#include "psp/testing.h"
#include "sev/cert_table.h"
#include "sev/ghcb.h"
#include "sev/guest_message.h"
#include "sev/report.h"
#include "sev/secrets_page.h"
#include "svsm/platform/guest_request/guest_request.h"
#include "svsm/platform/guest_request/reasons.h"
#include "svsm/platform/guest_request_exit.h"

namespace psp {
namespace {

using base::Bytes;
using base::Code;
using base::Milliseconds;
using base::Result;
using base::Status;
using svsm::SnpProcessor;
using Answer = svsm::GuestRequestExit::Answer;

constexpr uint64_t kGpa = 0x400000;
constexpr uint64_t kInvalidLength = uint64_t{sev::kGuestRequestInvalidLength}
                                    << 32;

using Blob = std::vector<uint8_t>;

Blob Certificate(size_t size, uint8_t fill) { return Blob(size, fill); }

// The hypervisor: one firmware behind two exits, and what it does to answers.
class Hypervisor final : public svsm::GuestRequestExit {
 public:
  explicit Hypervisor(Firmware& firmware) : firmware_(firmware) {}

  Result<Answer> GuestRequest(uint64_t request, uint64_t response) override {
    ++plain;
    return Forward(request, response);
  }
  Result<Answer> ExtendedGuestRequest(uint64_t request, uint64_t response,
                                      uint64_t certificates,
                                      uint64_t pages) override {
    ++extended;
    EXPECT_EQ(certificates, kGpa + 2 * SnpProcessor::kPage);
    EXPECT_LE(pages, SnpProcessor::kMaxCertificatePages);
    asked_pages.push_back(pages);
    if (on_extended) {
      const std::optional<Answer> answer = on_extended(pages);
      if (answer.has_value()) {
        Note(request);
        return *answer;
      }
    }
    if (table.size() > pages * SnpProcessor::kPage) {
      Note(request);
      return Answer{.exit_info_2 = kInvalidLength,
                    .rbx = (table.size() + SnpProcessor::kPage - 1) /
                           SnpProcessor::kPage};
    }
    std::copy(table.begin(), table.end(),
              memory.begin() + 2 * SnpProcessor::kPage);
    return Forward(request, response);
  }

  proxy::SharedRange range() {
    return {
        .base = memory.data(), .gpa = kGpa, .size = SnpProcessor::kSharedSize};
  }
  std::span<uint8_t, 4096> response() {
    return std::span(memory).subspan<4096, 4096>();
  }

  alignas(4096) std::array<uint8_t, SnpProcessor::kSharedSize> memory{};
  Blob table;
  std::function<std::optional<Answer>(uint64_t pages)> on_extended;
  std::function<void(Answer&)> spoil;
  int plain = 0;
  int extended = 0;
  std::vector<uint64_t> asked_pages;
  std::vector<Blob> requests;
  bool was_clear = true;

 private:
  // What a host can collect: if two different ones are under one number, it
  // has the same IV twice.
  void Note(uint64_t request) {
    EXPECT_EQ(request, kGpa);
    requests.emplace_back(memory.begin(), memory.begin() + SnpProcessor::kPage);
  }
  Result<Answer> Forward(uint64_t request, uint64_t response_at) {
    EXPECT_EQ(response_at, kGpa + SnpProcessor::kPage);
    Note(request);
    was_clear = was_clear && base::AllZero(Bytes(response()));
    const Firmware::Reply reply =
        firmware_.Request(std::span(memory).first<4096>());
    if (reply.delivery != Firmware::Delivery::kAnswer) {
      return Status(Code::kDeadlineExceeded, svsm::kFirmwareBusy);
    }
    Answer answer{.exit_info_2 = reply.exit_info_2};
    if (reply.exit_info_2 == 0) {
      std::copy(reply.page.begin(), reply.page.end(), response().begin());
    }
    if (spoil) spoil(answer);
    return answer;
  }

  Firmware& firmware_;
};

struct Boot {
  explicit Boot(Fault fault = Fault::kNone)
      : firmware(TestHierarchy(), fault),
        host(std::make_unique<Hypervisor>(firmware)),
        processor(std::make_unique<SnpProcessor>(*host, host->range())) {
    sev::LaunchDigest measurement;
    measurement.fill(0x4D);
    firmware.Launch(measurement);
    auto page = firmware.SecretsPage();
    auto key = sev::TakeVmpck0(page);
    driver.emplace(*std::move(key), *processor, clock, Milliseconds{5000});
  }
  // Whatever happened, no two ciphertexts under one number have left.
  ~Boot() {
    std::map<uint64_t, Blob> sent;
    for (const Blob& request : host->requests) {
      const auto header =
          sev::ReadMessageHeader(std::span(request).first<4096>());
      EXPECT_TRUE(header.ok());
      if (!header.ok()) continue;
      const auto [at, is_new] = sent.emplace(header->sequence_number, request);
      EXPECT_TRUE(is_new || at->second == request)
          << "an IV twice: " << header->sequence_number;
    }
  }
  Status GetReport() {
    std::array<uint8_t, 64> data;
    data.fill(0x77);
    return driver->GetReport(data, report);
  }
  Blob Certificates(sev::SigningKey key = sev::SigningKey::kVcek,
                    size_t room = 12 * 1024) {
    Blob out(room);
    out.resize(processor->Certificates(key, out));
    return out;
  }

  Firmware firmware;
  std::unique_ptr<Hypervisor> host;
  std::unique_ptr<SnpProcessor> processor;
  FakeClock clock;
  std::optional<svsm::GuestRequestDriver> driver;
  std::array<uint8_t, sev::kReportSize> report{};
};

Blob Table(std::initializer_list<std::pair<sev::Guid, Blob>> certificates,
           size_t room = 65536) {
  std::vector<sev::CertTableEntry> entries;
  for (const auto& [guid, bytes] : certificates)
    entries.push_back({guid, bytes});
  Blob out(room);
  out.resize(*sev::PackCertTable(entries, out));
  return out;
}

TEST(SnpProcessor, GetsReportsByTheExtendedRequest) {
  Boot boot;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(boot.GetReport().ok());
  EXPECT_EQ(boot.host->extended, 3);
  EXPECT_EQ(boot.host->plain, 0);
  EXPECT_TRUE(boot.host->was_clear);
  const auto report = sev::UnverifiedReport::Parse(boot.report);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->vmpl(), 0u);
  EXPECT_TRUE(boot.Certificates().empty());
}

TEST(SnpProcessor, PassesTheChainOfTheReportsKeyOn) {
  const Blob vcek = Certificate(1360, 1), vlek = Certificate(1400, 2),
             ask = Certificate(1600, 3), ark = Certificate(1700, 4),
             crl = Certificate(900, 5);
  Boot boot;
  boot.host->table = Table({{sev::kGuidArk, ark},
                            {sev::kGuidCrl, crl},
                            {sev::kGuidVcek, vcek},
                            {sev::kGuidVlek, vlek},
                            {sev::kGuidAsk, ask}});
  ASSERT_TRUE(boot.GetReport().ok());
  EXPECT_EQ(boot.Certificates(), Table({{sev::kGuidVcek, vcek},
                                        {sev::kGuidAsk, ask},
                                        {sev::kGuidArk, ark}}));
  EXPECT_EQ(boot.Certificates(sev::SigningKey::kVlek),
            Table({{sev::kGuidVlek, vlek},
                   {sev::kGuidAsk, ask},
                   {sev::kGuidArk, ark}}));
  EXPECT_TRUE(boot.Certificates(sev::SigningKey::kNone).empty());
  // Too little room: first without what the verifier has itself.
  EXPECT_EQ(boot.Certificates(sev::SigningKey::kVcek, 1360 + 1600 + 3 * 24),
            Table({{sev::kGuidVcek, vcek}, {sev::kGuidAsk, ask}}));
  EXPECT_EQ(boot.Certificates(sev::SigningKey::kVcek, 1360 + 2 * 24),
            Table({{sev::kGuidVcek, vcek}}));
  EXPECT_TRUE(boot.Certificates(sev::SigningKey::kVcek, 1360 + 47).empty());
  EXPECT_TRUE(boot.Certificates(sev::SigningKey::kVcek, 0).empty());
}

TEST(SnpProcessor, WithoutTheKeysCertificateThereIsNone) {
  Boot boot;
  boot.host->table = Table({{sev::kGuidVlek, Certificate(1400, 2)},
                            {sev::kGuidAsk, Certificate(1600, 3)}});
  ASSERT_TRUE(boot.GetReport().ok());
  EXPECT_TRUE(boot.Certificates(sev::SigningKey::kVcek).empty());
}

TEST(SnpProcessor, ALargerTableIsAskedForWithTheSameBytes) {
  Boot boot;
  boot.host->table = Table({{sev::kGuidVcek, Certificate(5000, 1)},
                            {sev::kGuidCrl, Certificate(20000, 2)}});
  ASSERT_TRUE(boot.GetReport().ok());
  EXPECT_EQ(boot.host->asked_pages, (std::vector<uint64_t>{4, 7}));
  ASSERT_EQ(boot.host->requests.size(), 2u);
  EXPECT_EQ(boot.host->requests[0], boot.host->requests[1]);
  EXPECT_EQ(boot.Certificates(),
            Table({{sev::kGuidVcek, Certificate(5000, 1)}}));
  // The next one asks for that much at once.
  ASSERT_TRUE(boot.GetReport().ok());
  EXPECT_EQ(boot.host->asked_pages.back(), 7u);
}

TEST(SnpProcessor, AnUnreasonableSizeEndsInAPlainRequest) {
  for (const uint64_t pages : {uint64_t{0}, uint64_t{1}, uint64_t{4},
                               uint64_t{9}, uint64_t{1} << 32, UINT64_MAX}) {
    Boot boot;
    boot.host->on_extended = [pages](uint64_t) {
      return Answer{.exit_info_2 = kInvalidLength, .rbx = pages};
    };
    ASSERT_TRUE(boot.GetReport().ok()) << pages;
    EXPECT_EQ(boot.host->extended, 1);
    EXPECT_EQ(boot.host->plain, 1);
    EXPECT_EQ(boot.host->requests[0], boot.host->requests[1]);
    EXPECT_TRUE(boot.Certificates().empty());
  }
}

TEST(SnpProcessor, AHostThatAlwaysWantsOnePageMoreIsBounded) {
  Boot boot;
  boot.host->on_extended = [](uint64_t pages) {
    return Answer{.exit_info_2 = kInvalidLength, .rbx = pages + 1};
  };
  ASSERT_TRUE(boot.GetReport().ok());
  EXPECT_EQ(boot.host->extended, 5);
  EXPECT_EQ(boot.host->plain, 1);
}

TEST(SnpProcessor, AHostWithoutTheExtendedRequestGetsThePlainOne) {
  Boot boot;
  boot.host->on_extended = [](uint64_t) {
    return Answer{.result = sev::kExitResultMalformed, .exit_info_2 = 6};
  };
  ASSERT_TRUE(boot.GetReport().ok());
  ASSERT_TRUE(boot.GetReport().ok());
  EXPECT_EQ(boot.host->extended, 1);
  EXPECT_EQ(boot.host->plain, 2);
}

TEST(SnpProcessor, ARefusedExitIsTheEnd) {
  for (const uint32_t result :
       {sev::kExitResultException, sev::kExitResultMalformed, uint32_t{77}}) {
    Boot boot;
    boot.host->spoil = [result](Answer& answer) { answer.result = result; };
    EXPECT_EQ(boot.GetReport(), Status(Code::kUnavailable, svsm::kHostRefused));
    EXPECT_EQ(boot.GetReport().reason(), svsm::kVmpckGone);
  }
}

TEST(SnpProcessor, BusyIsRetriedWithTheSameBytesToTheDeadline) {
  Boot once(Fault::kBusyOnce);
  ASSERT_TRUE(once.GetReport().ok());
  EXPECT_EQ(once.host->requests.size(), 2u);
  EXPECT_EQ(once.host->requests[0], once.host->requests[1]);

  Boot forever(Fault::kBusyForever);
  EXPECT_EQ(forever.GetReport().reason(), svsm::kFirmwareBusy);
  EXPECT_GT(forever.host->requests.size(), 2u);
  EXPECT_LT(forever.host->requests.size(), 100u);
}

TEST(SnpProcessor, AMalformedTableCostsOnlyTheCertificates) {
  const Blob good = Table({{sev::kGuidVcek, Certificate(1360, 1)},
                           {sev::kGuidAsk, Certificate(1600, 3)}});
  const auto put32 = [](Blob& table, size_t at, uint32_t value) {
    base::StoreLe(value, std::span(table).subspan(at).first<4>());
  };
  struct Row {
    const char* what;
    std::function<void(Blob&)> spoil;
  };
  const Row rows[] = {
      {"longer than said", [&](Blob& t) { put32(t, 20, 0x8000); }},
      {"length wraps", [&](Blob& t) { put32(t, 20, 0xFFFFFFFF); }},
      {"starts behind the buffer", [&](Blob& t) { put32(t, 16, 0x4001); }},
      {"starts in the header", [&](Blob& t) { put32(t, 16, 24); }},
      {"overlap", [&](Blob& t) { put32(t, 24 + 16, 100); }},
      {"no end", [&](Blob& t) { t.assign(4 * 4096, 0xAA); }},
  };
  for (const Row& row : rows) {
    Boot boot;
    boot.host->table = good;
    row.spoil(boot.host->table);
    EXPECT_TRUE(boot.GetReport().ok()) << row.what;
    EXPECT_TRUE(boot.Certificates().empty()) << row.what;
  }
}

TEST(SnpProcessor, FlippedTableBitsAreReadInBounds) {
  Boot boot;
  boot.host->table = Table({{sev::kGuidVcek, Certificate(1360, 1)},
                            {sev::kGuidAsk, Certificate(1600, 3)}});
  const Blob good = boot.host->table;
  ASSERT_TRUE(boot.GetReport().ok());
  const Blob chain = boot.Certificates();
  ASSERT_FALSE(chain.empty());
  for (size_t bit = 0; bit < 72 * 8; ++bit) {
    boot.host->table = good;
    boot.host->table[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    ASSERT_TRUE(boot.GetReport().ok());
    EXPECT_LE(boot.Certificates().size(), size_t{12 * 1024});
  }
}

TEST(SnpProcessor, TheCopyIsPrivate) {
  Boot boot;
  boot.host->table = Table({{sev::kGuidVcek, Certificate(1360, 1)}});
  ASSERT_TRUE(boot.GetReport().ok());
  const Blob before = boot.Certificates();
  boot.host->memory.fill(0xFF);
  EXPECT_EQ(boot.Certificates(), before);
}

TEST(SnpProcessor, ALateTableIsNotAnEarlierOne) {
  Boot boot;
  boot.host->table = Table({{sev::kGuidVcek, Certificate(1360, 1)}});
  ASSERT_TRUE(boot.GetReport().ok());
  ASSERT_FALSE(boot.Certificates().empty());
  boot.host->table.clear();
  ASSERT_TRUE(boot.GetReport().ok());
  EXPECT_TRUE(boot.Certificates().empty());
}

TEST(SnpProcessor, StaleReplayedAndMissingAnswersAreRefused) {
  // The first answer again.
  Boot replay;
  Blob first;
  replay.host->spoil = [&](Answer&) {
    const auto page = replay.host->response();
    if (first.empty()) {
      first.assign(page.begin(), page.end());
    } else {
      std::copy(first.begin(), first.end(), page.begin());
    }
  };
  ASSERT_TRUE(replay.GetReport().ok());
  EXPECT_EQ(replay.GetReport().reason(), svsm::kResponseWrongSequence);
  EXPECT_EQ(replay.GetReport().reason(), svsm::kVmpckGone);

  // Success without an answer: what stood there before must not count.
  Boot missing;
  ASSERT_TRUE(missing.GetReport().ok());
  missing.host->on_extended = [](uint64_t) { return Answer{}; };
  EXPECT_EQ(missing.GetReport().reason(), svsm::kResponseMissing);

  // The guest's own request as the answer.
  Boot mirror;
  mirror.host->spoil = [&](Answer&) {
    memcpy(mirror.host->response().data(), mirror.host->memory.data(), 4096);
  };
  EXPECT_EQ(mirror.GetReport().reason(), svsm::kResponseWrongSequence);

  Boot stale(Fault::kStale);
  EXPECT_FALSE(stale.GetReport().ok());
}

// "Too small", but the message was delivered: the second delivery fails in the
// firmware, and no other bytes go out.
TEST(SnpProcessor, ADeliveredAndDeniedRequestGivesNoSecondMessage) {
  Boot boot;
  bool denied = false;
  boot.host->spoil = [&](Answer& answer) {
    if (denied) return;
    denied = true;
    answer = {.exit_info_2 = kInvalidLength, .rbx = 5};
  };
  EXPECT_EQ(boot.GetReport().reason(), svsm::kFirmwareError);
  ASSERT_EQ(boot.host->requests.size(), 2u);
  EXPECT_EQ(boot.host->requests[0], boot.host->requests[1]);
}

// A host that writes the response page all the time, also while it is read:
// the report is the genuine one, or there is none.
TEST(SnpProcessor, AResponseThatChangesWhileItIsReadIsHarmless) {
  for (int round = 0; round < 20; ++round) {
    Boot boot;
    ASSERT_TRUE(boot.GetReport().ok());
    std::atomic<bool> stop{false};
    std::atomic<bool> go{false};
    volatile uint8_t* page = boot.host->response().data();
    std::thread flipper([&] {
      while (!stop) {
        if (!go) continue;
        for (size_t at = 0; at < 1400 && !stop; at += 7) page[at] ^= 0x10;
      }
    });
    boot.host->spoil = [&](Answer&) { go = true; };
    const Status status = boot.GetReport();
    stop = true;
    flipper.join();
    const auto report = sev::UnverifiedReport::Parse(boot.report);
    if (status.ok()) {
      ASSERT_TRUE(report.ok());
      EXPECT_EQ(report->vmpl(), 0u);
      EXPECT_EQ(report->report_data()[0], 0x77);
    } else {
      EXPECT_TRUE(base::AllZero(boot.report));
    }
  }
}

TEST(SnpProcessor, TheSharedPagesHoldNoPlaintext) {
  Boot boot;
  ASSERT_TRUE(boot.GetReport().ok());
  const auto key = boot.firmware.vmpck0_for_tests().RevealSecret();
  const auto& memory = boot.host->memory;
  EXPECT_EQ(std::search(memory.begin(), memory.end(), key.begin(), key.end()),
            memory.end());
  const std::array<uint8_t, 64> data = [] {
    std::array<uint8_t, 64> out;
    out.fill(0x77);
    return out;
  }();
  EXPECT_EQ(std::search(memory.begin(), memory.end(), data.begin(), data.end()),
            memory.end());
}

}  // namespace
}  // namespace psp
