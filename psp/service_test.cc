// SPDX-License-Identifier: Apache-2.0
//
// The second page channel in one process: the guest's transport and driver on
// one side, the service on the other, and guests that behave badly.
#include "psp/service.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/bytes.h"
#include "base/time.h"
#include "gtest/gtest.h"
#include "proto/channel.h"
#include "proxy/frame.h"
#include "proxy/frame_link.h"
#include "proxy/guest_transport.h"
#include "proxy/page_layout.h"
#include "proxy/reasons.h"
#include "proxy/registration.h"
#include "proxy/testing/loopback_machine.h"
#include "psp/fault.h"
#include "psp/testing.h"
#include "sev/guest_message.h"
#include "sev/report.h"
#include "sev/secrets_page.h"
#include "svsm/platform/guest_request/guest_request.h"
#include "svsm/platform/guest_request/reasons.h"

namespace psp {
namespace {

using base::Instant;
using base::Result;
using base::Status;
using proxy::FrameType;
using proxy::testing::LoopbackMachine;

// The emulator's process: takes what waits in the port at each turn.
class Emulator {
 public:
  explicit Emulator(LoopbackMachine& machine, Fault fault = Fault::kNone)
      : machine_(machine),
        service_(TestHierarchy(), {.ram_path = machine.ram_path(),
                                   .generation = 7,
                                   .fault = fault,
                                   .measure = [this] { return measurement; },
                                   .on_vmpck0 = {},
                                   .log =
                                       [this](std::string_view line) {
                                         log.emplace_back(line);
                                       }}) {
    machine.host_turn = [this] { Turn(); };
    service_.Connected();
  }
  void Reconnect() { service_.Connected(); }

  void Turn() {
    if (stopped) return;
    std::vector<uint8_t> bytes(machine_.port().begin(), machine_.port().end());
    machine_.port().clear();
    next = service_.Feed(bytes);
    if (next == FirmwareService::Next::kClose) {
      machine_.daemon_connected = false;
    }
  }
  bool Attached() const { return service_.attached(); }
  bool Logged(std::string_view text) const {
    for (const std::string& line : log) {
      if (absl::StrContains(line, text)) return true;
    }
    return false;
  }

  absl::StatusOr<sev::LaunchDigest> measurement = sev::LaunchDigest{1, 2, 3};
  std::vector<std::string> log;
  bool stopped = false;
  FirmwareService::Next next = FirmwareService::Next::kSleep;

 private:
  LoopbackMachine& machine_;
  FirmwareService service_;
};

class ChannelDoorbell final : public svsm::GuestRequestDoorbell {
 public:
  explicit ChannelDoorbell(proxy::FrameLink& link) : link_(link) {}
  Result<uint64_t> Exchange(sev::ConstMessagePage request,
                            sev::MessagePage response,
                            Instant deadline) override {
    BASE_TRY(link_.SendMessage(FrameType::kFirmwareRequest,
                               proto::channel::FirmwareRequest{request},
                               deadline));
    BASE_TRY_ASSIGN(const proxy::Frame frame,
                    link_.ReceiveType(FrameType::kFirmwareResponse, deadline));
    proto::channel::Arena arena;
    BASE_TRY_ASSIGN(const auto message,
                    proto::channel::Decode<proto::channel::FirmwareResponse>(
                        frame.body, arena));
    if (message.exit_info_2 == 0) {
      std::copy(message.page.begin(), message.page.end(), response.begin());
    }
    return message.exit_info_2;
  }

 private:
  proxy::FrameLink& link_;
};

class Guest {
 public:
  explicit Guest(LoopbackMachine& machine)
      : machine_(machine),
        transport_(machine.range(), machine, proxy::kProxyReadBack, machine),
        link_(transport_, machine),
        doorbell_(link_) {}

  // From registration to the secrets page.
  Result<sev::Vmpck> Attach() {
    BASE_TRY(link_.Attach(machine_.In(5000)));
    return AskForSecrets();
  }
  Result<sev::Vmpck> AskForSecrets() {
    BASE_TRY(link_.SendMessage(FrameType::kFirmwareAttach,
                               proto::channel::FirmwareAttach{},
                               machine_.In(5000)));
    BASE_TRY_ASSIGN(
        const proxy::Frame frame,
        link_.ReceiveType(FrameType::kFirmwareSecrets, machine_.In(5000)));
    proto::channel::Arena arena;
    BASE_TRY_ASSIGN(const auto message,
                    proto::channel::Decode<proto::channel::FirmwareSecrets>(
                        frame.body, arena));
    std::array<uint8_t, sev::kSecretsPageSize> page;
    std::copy(message.page.begin(), message.page.end(), page.begin());
    return sev::TakeVmpck0(page);
  }
  Status GetReport(sev::Vmpck key) {
    svsm::GuestRequestDriver driver(std::move(key), doorbell_, machine_,
                                    base::Milliseconds{5000});
    std::array<uint8_t, 64> report_data;
    report_data.fill(9);
    return driver.GetReport(report_data, report);
  }
  Status AttachAndGetReport() {
    BASE_TRY_ASSIGN(sev::Vmpck key, Attach());
    return GetReport(std::move(key));
  }
  proxy::FrameLink& link() { return link_; }

  std::array<uint8_t, sev::kReportSize> report{};

 private:
  LoopbackMachine& machine_;
  proxy::GuestPageTransport transport_;
  proxy::FrameLink link_;
  ChannelDoorbell doorbell_;
};

TEST(FirmwareService, GivesAReportOverTheImageThatRuns) {
  LoopbackMachine machine;
  Emulator emulator(machine);
  Guest guest(machine);
  ASSERT_TRUE(guest.AttachAndGetReport().ok());
  const auto report = sev::UnverifiedReport::Parse(guest.report);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(base::Equal(report->measurement(), *emulator.measurement));
}

// The system that was handed over to owns the port as the SVSM did.
TEST(FirmwareService, OneConnectionAttachesOnce) {
  LoopbackMachine machine;
  Emulator emulator(machine);
  Guest svsm(machine);
  ASSERT_TRUE(svsm.AttachAndGetReport().ok());
  for (int i = 0; i < 3; ++i) {
    Guest linux(machine);
    EXPECT_EQ(linux.Attach().status().reason(), proxy::kProxyRefused);
    EXPECT_EQ(emulator.log.back(), "session ended: EM7");
  }
  // In the session that it has, too.
  emulator.Reconnect();
  Guest next(machine);
  ASSERT_TRUE(next.Attach().ok());
  EXPECT_EQ(next.AskForSecrets().status().reason(), proxy::kProxyRefused);
}

TEST(FirmwareService, ANewConnectionGetsNewKeys) {
  LoopbackMachine machine;
  Emulator emulator(machine);
  Guest first(machine);
  auto old_key = first.Attach();
  ASSERT_TRUE(old_key.ok());
  emulator.Reconnect();
  Guest second(machine);
  auto key = second.Attach();
  ASSERT_TRUE(key.ok());
  EXPECT_FALSE(key->EqualsConstantTime(old_key->RevealSecret()));
  // The old key is worth nothing now.
  EXPECT_EQ(second.GetReport(*std::move(old_key)).reason(),
            svsm::kFirmwareError);
  EXPECT_TRUE(second.GetReport(*std::move(key)).ok());
}

TEST(FirmwareService, LetsGoOfAPageThatTheGuestCloses) {
  LoopbackMachine machine;
  Emulator emulator(machine);
  Guest guest(machine);
  ASSERT_TRUE(guest.AttachAndGetReport().ok());
  ASSERT_TRUE(guest.link()
                  .SendMessage(FrameType::kClose,
                               proto::channel::Close{
                                   0, proto::channel::CloseReason::kDone},
                               machine.In(1000))
                  .ok());
  const Instant deadline = machine.In(5000);
  while (!guest.link().transport().HostLetGo() && !machine.Passed(deadline)) {
    machine.Relax();
  }
  EXPECT_TRUE(guest.link().transport().HostLetGo());
  emulator.Reconnect();
  Guest next(machine);
  EXPECT_TRUE(next.AttachAndGetReport().ok());
}

TEST(FirmwareService, FaultsReachTheGuestAsReasons) {
  struct Row {
    Fault fault;
    base::Reason reason;
  };
  const Row rows[] = {
      {Fault::kStale, svsm::kResponseWrongSequence},
      {Fault::kBusyForever, svsm::kFirmwareBusy},
      {Fault::kFirmwareError, svsm::kFirmwareError},
      {Fault::kSilent, base::kDeadlinePassed},
  };
  for (const Row& row : rows) {
    LoopbackMachine machine;
    Emulator emulator(machine, row.fault);
    Guest guest(machine);
    EXPECT_EQ(guest.AttachAndGetReport().reason(), row.reason)
        << static_cast<int>(row.fault);
  }
  LoopbackMachine machine;
  Emulator emulator(machine, Fault::kClose);
  Guest guest(machine);
  EXPECT_FALSE(guest.AttachAndGetReport().ok());
}

TEST(FirmwareService, BusyOnceIsOvercome) {
  LoopbackMachine machine;
  Emulator emulator(machine, Fault::kBusyOnce);
  Guest guest(machine);
  EXPECT_TRUE(guest.AttachAndGetReport().ok());
}

TEST(FirmwareService, WildRegistrationsEndNothing) {
  LoopbackMachine machine;
  Emulator emulator(machine);
  const proxy::Registration wild[] = {
      {.gpa = 0x7FF00000, .length = proxy::kSharedRangeSize, .session = 1},
      {.gpa = UINT64_MAX - 4095,
       .length = proxy::kSharedRangeSize,
       .session = 2},
      {.gpa = 0x100000, .length = 0, .session = 3},
      {.gpa = 0x100000, .length = UINT32_MAX, .session = 4},
      {.gpa = 0x100001, .length = proxy::kSharedRangeSize, .session = 5},
  };
  for (const proxy::Registration& registration : wild) {
    for (const uint8_t byte : proxy::EncodeRegistration(registration)) {
      machine.Write(byte);
    }
    emulator.Turn();
  }
  EXPECT_TRUE(emulator.Logged("registration refused"));
  Guest guest(machine);
  EXPECT_TRUE(guest.AttachAndGetReport().ok());
}

TEST(FirmwareService, OddFramesEndTheSessionOnly) {
  LoopbackMachine machine;
  Emulator emulator(machine);
  {
    Guest guest(machine);
    ASSERT_TRUE(guest.Attach().ok());
    ASSERT_TRUE(
        guest.link().Send(FrameType::kOpened, {}, machine.In(1000)).ok());
    EXPECT_FALSE(guest.AskForSecrets().ok());
  }
  EXPECT_TRUE(emulator.Logged("session ended"));
  emulator.Reconnect();
  {
    // A request whose page is too short.
    Guest guest(machine);
    ASSERT_TRUE(guest.Attach().ok());
    const std::array<uint8_t, 3> body = {0x0A, 0x01, 0x00};
    ASSERT_TRUE(guest.link()
                    .Send(FrameType::kFirmwareRequest, body, machine.In(1000))
                    .ok());
    EXPECT_FALSE(guest.AskForSecrets().ok());
  }
  emulator.Reconnect();
  {
    // A request before FirmwareAttach.
    Guest guest(machine);
    ASSERT_TRUE(guest.link().Attach(machine.In(1000)).ok());
    EXPECT_FALSE(
        guest.GetReport(*sev::Vmpck::CopyFrom(std::array<uint8_t, 32>{1}))
            .ok());
  }
  Guest guest(machine);
  EXPECT_TRUE(guest.AttachAndGetReport().ok());
}

TEST(FirmwareService, AnUnmeasurableImageGetsNoSecrets) {
  LoopbackMachine machine;
  Emulator emulator(machine);
  emulator.measurement = absl::NotFoundError("no such file");
  Guest guest(machine);
  EXPECT_FALSE(guest.Attach().ok());
  EXPECT_TRUE(
      emulator.Logged("EM2 the guest image cannot be measured: no such file"));
}

// The VM was reset, or the guest gave up waiting and Linux has its memory.
TEST(FirmwareService, WritesNothingIntoAPageThatIsNoMoreAChannel) {
  for (const uint8_t foreign : {0x00, 0xA5}) {
    LoopbackMachine machine;
    Emulator emulator(machine);
    Guest guest(machine);
    ASSERT_TRUE(guest.AttachAndGetReport().ok());
    const std::vector<uint8_t> bytes(proxy::kSharedRangeSize, foreign);
    machine.range().CopyIn(0, bytes);
    emulator.Turn();
    machine.Write(proxy::kDoorbellByte);
    emulator.Turn();
    std::vector<uint8_t> now(bytes.size());
    machine.range().CopyOut(0, now);
    EXPECT_TRUE(now == bytes);
    EXPECT_FALSE(emulator.Attached());
    EXPECT_EQ(emulator.log.back(),
              "session dropped: its page is no channel any more");
    emulator.Reconnect();
    Guest next(machine);
    EXPECT_TRUE(next.AttachAndGetReport().ok());
  }
}

// A guest that computes for long between its reads must not take it for dead.
TEST(FirmwareService, LooksWhileTheGuestDoesNotRead) {
  LoopbackMachine machine;
  Emulator emulator(machine);
  Guest guest(machine);
  ASSERT_TRUE(guest.Attach().ok());
  const std::vector<uint8_t> page(sev::kMessagePageSize);
  const proto::channel::FirmwareRequest request{
      base::Bytes(page).first<sev::kMessagePageSize>()};
  // Each is answered by an error, some 20 bytes.
  for (int i = 0; i < 10000 && emulator.next != FirmwareService::Next::kPoll;
       ++i) {
    ASSERT_TRUE(
        guest.link()
            .SendMessage(FrameType::kFirmwareRequest, request, machine.In(5000))
            .ok());
    emulator.Turn();
  }
  ASSERT_EQ(emulator.next, FirmwareService::Next::kPoll);
  const auto looks = [&] {
    return machine.range().Load32(proxy::page::kHostLooks);
  };
  const uint32_t before = looks();
  emulator.Turn();
  emulator.Turn();
  EXPECT_EQ(emulator.next, FirmwareService::Next::kPoll);
  EXPECT_EQ(looks(), before + 2);
}

TEST(FirmwareService, ARamFileThatShrinksIsSurvived) {
  LoopbackMachine machine;
  Emulator emulator(machine);
  Guest guest(machine);
  ASSERT_TRUE(guest.Attach().ok());
  machine.TruncateRam(4096);
  machine.Write('D');
  emulator.Turn();
  emulator.Turn();
  EXPECT_TRUE(emulator.Logged("shrank") || emulator.Logged("session ended"));
}

}  // namespace
}  // namespace psp
