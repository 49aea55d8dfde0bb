// SPDX-License-Identifier: Apache-2.0
//
// The guest's client against hosts that adapt to what it does: what it writes
// to the port, says to the operator and spends on one call has limits that no
// word of the page moves.
#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "gtest/gtest.h"
#include "proto/channel.h"
#include "proxy/client.h"
#include "proxy/frame.h"
#include "proxy/guest_transport.h"
#include "proxy/host/page_endpoint.h"
#include "proxy/page_layout.h"
#include "proxy/reasons.h"
#include "proxy/registration.h"
#include "proxy/testing/loopback_machine.h"
#include "proxy/testing/scripted_host.h"

namespace proxy {
namespace {

namespace channel = proto::channel;
using testing::LoopbackMachine;
using testing::ScriptedHost;

constexpr uint8_t kName[] = {'v'};

// Knows each byte that the guest writes to the port, as a host does, but no
// daemon reads any: all of them stay in QEMU.
class LyingHost {
 public:
  using Lie = std::function<void(LyingHost&)>;
  LyingHost(LoopbackMachine& machine, std::vector<Lie> lies)
      : machine_(machine), lies_(std::move(lies)) {
    machine_.host_turn = [this] { Turn(); };
  }
  ~LyingHost() { machine_.host_turn = nullptr; }

  void Turn() {
    for (; peeked_ < machine_.port().size(); ++peeked_) {
      (void)endpoint_.Feed(machine_.port()[peeked_]);
    }
    while (endpoint_.attached()) {
      const auto frame = endpoint_.channel().Receive();
      if (!frame.ok() || !frame->has_value()) break;
      Answer(**frame);
    }
    for (const Lie& lie : lies_) lie(*this);
  }
  SharedRange page() const { return machine_.range(); }
  void Add(uint32_t offset, uint32_t to) {
    page().Store32(offset, page().Load32(to) + 1);
  }
  uint32_t session() const { return endpoint_.registration().session; }

 private:
  template <typename Message>
  void Send(FrameType type, const Message& message) {
    (void)SendMessage(endpoint_.channel(), type, message);
  }
  void Answer(const Frame& frame) {
    static channel::Arena arena;
    arena.Reset();
    if (frame.type == FrameType::kHello) {
      Send(FrameType::kWelcome, channel::Welcome{.version = 1,
                                                 .max_body = channel::kMaxBody,
                                                 .receive_credit = 1,
                                                 .max_streams = 1,
                                                 .label = kName,
                                                 .generation = kGeneration});
    } else if (frame.type == FrameType::kOpen) {
      const auto open = channel::Decode<channel::Open>(frame.body, arena);
      if (open.ok()) Send(FrameType::kOpened, channel::Opened{open->stream});
    } else if (frame.type == FrameType::kData) {
      const auto data = channel::Decode<channel::Data>(frame.body, arena);
      if (data.ok()) Send(FrameType::kCredit, channel::Credit{data->stream, 1});
    }
  }

  static constexpr uint64_t kGeneration = 7;
  LoopbackMachine& machine_;
  const std::vector<Lie> lies_;
  host::PageEndpoint endpoint_{machine_.ram_path(), kGeneration};
  size_t peeked_ = 0;
};

void WantABell(LyingHost& host) {
  host.Add(page::kBellWanted, page::kBellsRung);
}
void SayThatRecordsWereSeen(LyingHost& host) {
  host.Add(page::kHostRecordsSeen, page::kHostRecordsSeen);
}
void EchoTheSession(LyingHost& host) {
  host.page().Store32(page::kHostSession, host.session());
}
void LookDead(LyingHost& host) { host.page().Store32(page::kHostLooks, 0); }
void LookAlive(LyingHost& host) {
  host.Add(page::kHostLooks, page::kHostLooks);
}
void RestartOften(LyingHost& host) {
  static int turns = 0;
  if (++turns % 20 == 0) {
    host.Add(page::kHostGeneration, page::kHostGeneration);
  }
}
void EndTheSession(LyingHost& host) {
  host.page().Store32(page::kHostStatus, kProxyShuttingDown.bits);
}
void LetGo(LyingHost& host) { host.page().Store32(page::kHostSession, 0); }

// The port bytes of a boot whose owner never gives up.
size_t PortBytesOf(const std::vector<LyingHost::Lie>& lies) {
  LoopbackMachine machine;
  LyingHost host(machine, lies);
  GuestPageTransport transport(machine.range(), machine, kProxyReadBack,
                               machine);
  transport.SpreadUntil(machine.In(180'000));
  const auto client = std::make_unique<Client>(transport, machine);
  for (int session = 0; session < 40; ++session) {
    if (!client->Connect(kName, machine.In(2'000)).ok()) continue;
    for (int stream = 0; stream < 5; ++stream) {
      if (!client->OpenStream(kName, machine.In(2'000)).ok()) break;
      for (int i = 0; i < 400; ++i) {
        host.Turn();
        if (!client->stream().Write(kName).ok()) break;
        if (i % 16 == 0) machine.Relax();
      }
    }
  }
  client->Close(machine.In(100));
  EXPECT_EQ(machine.most_queued, transport.port_writes());
  return machine.most_queued;
}

TEST(HostileHostTest, NoHostGetsMorePortBytesThanABootHas) {
  const std::vector<std::vector<LyingHost::Lie>> hosts = {
      {},
      {WantABell},
      {WantABell, SayThatRecordsWereSeen},
      {WantABell, SayThatRecordsWereSeen, RestartOften},
      {WantABell, LookAlive, RestartOften},
      {WantABell, LookDead},
      {SayThatRecordsWereSeen, LookDead},
      {EchoTheSession, WantABell},
      {EchoTheSession, EndTheSession},
      {EchoTheSession, EndTheSession, WantABell, LookAlive},
      {RestartOften},
      {LetGo},
      {LetGo, WantABell, SayThatRecordsWereSeen},
  };
  size_t most = 0;
  for (size_t i = 0; i < hosts.size(); ++i) {
    const size_t bytes = PortBytesOf(hosts[i]);
    EXPECT_LE(bytes, kPortBytesPerBoot) << "host " << i;
    most = std::max(most, bytes);
  }
  // The worst of them gets all there is, which QEMU takes.
  EXPECT_EQ(most, kPortBytesPerBoot);
  EXPECT_LE(most, LoopbackMachine::kQemuBuffer);
}

TEST(HostileHostTest, SaysOnlyWhatAHostMaySay) {
  const base::ReasonRow rows[] = {FORELOCK_PROXY_REASONS(BASE_REASON_ROW)};
  std::vector<uint32_t> words = {1, 0x1B5B41, 0xFFFFFFFF,
                                 base::kDeadlinePassed.bits};
  for (const base::ReasonRow& row : rows) words.push_back(row.reason.bits);
  int taken = 0;
  for (const uint32_t word : words) {
    LoopbackMachine machine;
    ScriptedHost host(machine);
    GuestPageTransport transport(machine.range(), machine, kProxyReadBack,
                                 machine);
    const auto client = std::make_unique<Client>(transport, machine);
    ASSERT_TRUE(client->Connect(kName, machine.In(1'000)).ok());
    machine.range().Store32(page::kHostStatus, word);
    const base::Reason said = client->Poll().reason();
    if (said == kProxyRefused) continue;
    ++taken;
    EXPECT_EQ(said.bits, word);
    // What only a guest finds out, or nobody.
    for (const base::Reason own :
         {kProxyAbsent, kProxyRestarted, kEndpointUnknown, kEndpointUnreachable,
          kTooManyStreams, kSendBusy, kNotConnected, kNoDoorbell,
          kSharedRangeInvalid, kStreamReset, kRegistrationMalformed,
          kRangeOutsideRam, kRamLost, kRamFileUnusable, kDoorbellFlood}) {
      EXPECT_FALSE(said == own) << base::NameOf(own).text;
    }
  }
  EXPECT_EQ(taken, 11);
}

// When all registrations are spent, the reason is the last session's.
TEST(HostileHostTest, SpentRegistrationsEndWithTheReasonForThem) {
  LoopbackMachine machine;
  LyingHost host(machine, {EchoTheSession, EndTheSession});
  GuestPageTransport transport(machine.range(), machine, kProxyReadBack,
                               machine);
  const auto client = std::make_unique<Client>(transport, machine);
  for (uint32_t i = 0; i < kRegistrationsPerBoot; ++i) {
    EXPECT_EQ(client->Connect(kName, machine.In(1'000)),
              base::Status(base::Code::kUnavailable, kProxyShuttingDown));
  }
  EXPECT_EQ(client->Connect(kName, machine.In(1'000)),
            base::Status(base::Code::kResourceExhausted, kProxyShuttingDown));
}

// The host sends while the guest reads: there is always one more ping.
class FloodingClock final : public base::Clock {
 public:
  FloodingClock(LoopbackMachine& machine, ScriptedHost& host)
      : machine_(machine), host_(host) {}
  base::Instant Now() override {
    if (flooding && looks < kEnough) {
      ++looks;
      host_.Send(FrameType::kPing, channel::Ping{1});
    }
    return machine_.Now();
  }
  void Relax() override { machine_.Relax(); }

  static constexpr int kEnough = 10'000;  // or a faulty guest never returns
  bool flooding = false;
  int looks = 0;

 private:
  LoopbackMachine& machine_;
  ScriptedHost& host_;
};

TEST(HostileHostTest, FloodOfPingsDoesNotHoldUpPoll) {
  LoopbackMachine machine;
  ScriptedHost host(machine);
  FloodingClock clock(machine, host);
  GuestPageTransport transport(machine.range(), machine, kProxyReadBack, clock);
  const auto client = std::make_unique<Client>(transport, clock);
  ASSERT_TRUE(client->Connect(kName, machine.In(1'000)).ok());
  clock.flooding = true;
  host.Send(FrameType::kPing, channel::Ping{1});
  for (int i = 0; i < 10; ++i) {
    clock.looks = 0;
    ASSERT_TRUE(client->Poll().ok());
    // A look for each frame, and some for what else there is.
    EXPECT_LE(clock.looks, 40);
    EXPECT_GE(clock.looks, 10);
  }
}

}  // namespace
}  // namespace proxy
