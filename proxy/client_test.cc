// SPDX-License-Identifier: Apache-2.0
#include "proxy/client.h"

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "proto/channel.h"
#include "proxy/frame.h"
#include "proxy/guest_transport.h"
#include "proxy/page_layout.h"
#include "proxy/reasons.h"
#include "proxy/testing/loopback_machine.h"
#include "proxy/testing/scripted_host.h"

namespace proxy {
namespace {

namespace channel = proto::channel;
using base::Code;
using testing::LoopbackMachine;
using testing::ScriptedHost;

base::Bytes B(std::string_view text) {
  // EDGE: characters as bytes.
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class ClientTest : public ::testing::Test {
 protected:
  base::Instant Soon() { return machine_.In(30000); }
  void Connect() { ASSERT_TRUE(client_->Connect(B("demo/vm1"), Soon()).ok()); }
  void OpenStream() {
    Connect();
    ASSERT_TRUE(client_->OpenStream(B("verifier"), Soon()).ok());
  }
  // Reads from the stream until bytes, an error, or 30 s.
  base::Result<size_t> ReadSome(base::MutableBytes out) {
    const base::Instant deadline = Soon();
    for (;;) {
      const auto count = client_->stream().Read(out);
      if (!count.ok() || *count > 0 || machine_.Passed(deadline)) return count;
      machine_.Relax();
    }
  }

  LoopbackMachine machine_;
  ScriptedHost host_{machine_};
  GuestPageTransport transport_{machine_.range(), machine_, kProxyReadBack,
                                machine_};
  std::unique_ptr<Client> client_ =
      std::make_unique<Client>(transport_, machine_);
};

TEST_F(ClientTest, ConnectsAndEchoes) {
  OpenStream();
  ASSERT_TRUE(client_->stream().Write(B("hello")).ok());
  std::array<uint8_t, 16> in{};
  const auto count = ReadSome(in);
  ASSERT_TRUE(count.ok());
  EXPECT_TRUE(base::Equal(base::Bytes(in).first(*count), B("hello")));
  EXPECT_EQ(host_.attached, 1);
  // Hello rides on the registration or costs one bell, Open and Data one each.
  EXPECT_LE(transport_.port_writes() - transport_.registration_writes(), 3u);
}

TEST_F(ClientTest, CarriesAMegabyteBothWaysWithinItsCredit) {
  OpenStream();
  std::vector<uint8_t> sent(1 << 20);
  std::iota(sent.begin(), sent.end(), uint8_t{3});
  for (size_t i = 0; i < sent.size(); i += 251) sent[i] = uint8_t(i >> 8);
  std::vector<uint8_t> got;
  size_t written = 0;
  const base::Instant deadline = machine_.In(600000);
  while (got.size() < sent.size() && !machine_.Passed(deadline)) {
    if (written < sent.size()) {
      const auto count =
          client_->stream().Write(base::Bytes(sent).subspan(written));
      ASSERT_TRUE(count.ok());
      written += *count;
    }
    std::array<uint8_t, 5000> in{};
    const auto count = client_->stream().Read(in);
    ASSERT_TRUE(count.ok()) << base::NameOf(count.status().reason()).text;
    got.insert(got.end(), in.begin(), in.begin() + ptrdiff_t(*count));
    if (*count == 0) machine_.Relax();
  }
  EXPECT_EQ(got, sent);
  EXPECT_LE(machine_.most_queued, 2u + 28u);
}

TEST_F(ClientTest, AbsentProxyEndsAtTheDeadlineWithinTheByteBudget) {
  host_.stopped = true;
  const base::Status status = client_->Connect(B("vm"), machine_.In(60000));
  EXPECT_EQ(status.code(), Code::kDeadlineExceeded);
  EXPECT_EQ(status.reason(), kProxyAbsent);
  EXPECT_EQ(transport_.registration_writes(),
            kRegistrationsPerBoot * kRegistrationSize);
  // A second try against the same stopped daemon must not overfill QEMU.
  EXPECT_EQ(client_->Connect(B("vm"), machine_.In(60000)).reason(),
            kProxyAbsent);
  EXPECT_LE(machine_.most_queued, kPortBytesPerBoot);
  // It was the same session all the time: the daemon still finds it.
  host_.stopped = false;
  EXPECT_TRUE(client_->Connect(B("vm"), machine_.In(60000)).ok());
  EXPECT_EQ(host_.attached, 1);
}

TEST_F(ClientTest, FindsADaemonThatComesLateAnyTimeBeforeTheDeadline) {
  for (const uint64_t late : {1u, 300u, 3000u, 20000u, 45000u, 54000u}) {
    LoopbackMachine machine;
    ScriptedHost host(machine);
    GuestPageTransport transport(machine.range(), machine, kProxyReadBack,
                                 machine);
    Client client(transport, machine);
    machine.daemon_connected = false;
    const base::Instant start = machine.In(late);
    machine.host_turn = [&] {
      if (machine.Passed(start)) machine.daemon_connected = true;
      host.Turn();
    };
    EXPECT_TRUE(client.Connect(B("vm"), machine.In(60000)).ok()) << late;
  }
}

TEST_F(ClientTest, SlowDaemonMayAnswerARepeatedRegistrationOnce) {
  host_.stopped = true;
  const base::Instant wake = machine_.In(5000);
  machine_.host_turn = [&] {
    if (machine_.Passed(wake)) host_.stopped = false;
    host_.Turn();
  };
  OpenStream();
  EXPECT_EQ(host_.attached, 1);
  EXPECT_EQ(host_.rejected, 0);
}

TEST_F(ClientTest, MissingDeviceIsToldAtOnce) {
  machine_.read_back = 0xFF;
  EXPECT_EQ(client_->Connect(B("vm"), Soon()).reason(), kNoDoorbell);
  EXPECT_EQ(transport_.port_writes(), 0u);
}

// It has heard of no session, so it is silent like one that is not there.
TEST_F(ClientTest, RestartedDaemonFailsTheStreamAndTakesANewSession) {
  OpenStream();
  host_.Restart(8);
  std::array<uint8_t, 16> in{};
  const auto count = ReadSome(in);
  EXPECT_EQ(base::StatusOf(count),
            base::Status(Code::kUnavailable, kProxyAbsent));
  EXPECT_EQ(client_->stream().Write(B("x")).status().reason(), kProxyAbsent);
  OpenStream();
  EXPECT_EQ(transport_.generation(), 8u);
}

TEST_F(ClientTest, AnotherDaemonsWordFailsTheStream) {
  OpenStream();
  machine_.range().Store64(page::kHostGeneration, 8);
  EXPECT_EQ(client_->stream().Write(B("x")).status().reason(), kProxyRestarted);
}

TEST_F(ClientTest, DaemonThatDiesForGoodIsNoticed) {
  OpenStream();
  const uint32_t before = transport_.port_writes();
  host_.stopped = true;
  std::array<uint8_t, 16> in{};
  const auto count = ReadSome(in);
  EXPECT_EQ(count.status().code(), Code::kUnavailable);
  EXPECT_EQ(count.status().reason(), kProxyAbsent);
  EXPECT_EQ(transport_.port_writes(), before);
}

// A caller that does other things between its polls must not keep a dead daemon
// alive by them.
TEST_F(ClientTest, OwnWorkBetweenPollsIsNoSilenceAndEndsNone) {
  OpenStream();
  host_.stopped = true;
  const auto poll_for = [&](uint64_t ms) {
    const base::Instant end = machine_.In(ms);
    base::Status status;
    while (status.ok() && !machine_.Passed(end)) {
      status = client_->Poll();
      machine_.Relax();
    }
    return status;
  };
  EXPECT_TRUE(poll_for(2500).ok());
  const base::Instant later = machine_.In(10'000);
  while (!machine_.Passed(later)) machine_.Relax();
  EXPECT_TRUE(poll_for(500).ok());
  EXPECT_EQ(poll_for(2000).reason(), kProxyAbsent);
}

TEST_F(ClientTest, SilentVerifierIsNoReasonToGiveUpTheProxy) {
  OpenStream();
  host_.echo = false;
  std::array<uint8_t, 16> in{};
  const auto count = ReadSome(in);  // 30 s
  ASSERT_TRUE(count.ok());
  EXPECT_EQ(*count, 0u);
  EXPECT_EQ(transport_.registration_writes(), kRegistrationSize);
}

TEST_F(ClientTest, WithoutBellsTheHostLooksByItsTimer) {
  OpenStream();
  std::array<uint8_t, 16> in{};
  for (uint32_t i = 0; i < 3 * kBellsPerBoot; ++i) {
    ASSERT_TRUE(client_->stream().Write(B("x")).ok());
    const auto count = ReadSome(in);
    ASSERT_TRUE(count.ok()) << i;
    ASSERT_EQ(*count, 1u) << i;
    for (int idle = 0; idle < 3; ++idle) machine_.Relax();  // It sleeps again.
  }
  EXPECT_EQ(transport_.port_writes(), kRegistrationSize + kBellsPerBoot);
}

TEST_F(ClientTest, RefusalsHaveTheirReason) {
  const struct {
    channel::RefusedReason refused;
    base::Reason reason;
  } cases[] = {
      {channel::RefusedReason::kUnknownEndpoint, kEndpointUnknown},
      {channel::RefusedReason::kUnreachable, kEndpointUnreachable},
      {channel::RefusedReason::kTooManyStreams, kTooManyStreams},
      {channel::RefusedReason::kShuttingDown, kProxyShuttingDown},
      {channel::RefusedReason::kUnspecified, kProxyRefused},
  };
  Connect();
  host_.echo = false;
  uint32_t stream = 0;
  for (const auto& row : cases) {
    host_.on_frame = [&](const Frame&) {
      host_.Send(FrameType::kRefused, channel::Refused{++stream, row.refused});
    };
    EXPECT_EQ(client_->OpenStream(B("verifier"), Soon()).reason(), row.reason);
  }
}

TEST_F(ClientTest, ClosedStreamDeliversWhatCameBefore) {
  OpenStream();
  host_.echo = false;
  host_.on_frame = [&](const Frame& frame) {
    if (frame.type != FrameType::kData) return;
    host_.Send(FrameType::kData, channel::Data{1, B("last")});
    host_.Send(FrameType::kClose,
               channel::Close{1, channel::CloseReason::kDone});
  };
  ASSERT_TRUE(client_->stream().Write(B("x")).ok());
  std::array<uint8_t, 16> in{};
  ASSERT_EQ(*ReadSome(in), 4u);
  EXPECT_EQ(ReadSome(in).status().reason(), base::kStreamClosed);
}

TEST_F(ClientTest, CertificatesComeWhileTheStreamHasUnreadData) {
  OpenStream();
  std::vector<uint8_t> table(channel::kMaxCertificateTable, 0x5A);
  host_.on_frame = [&](const Frame& frame) {
    if (frame.type != FrameType::kGetCertificates) return;
    host_.Send(FrameType::kData, channel::Data{1, B("unread")});
    host_.Send(FrameType::kCertificates, channel::Certificates{table});
  };
  std::array<uint8_t, channel::kChipIdSize> chip{};
  std::vector<uint8_t> out(16384);
  const auto size = client_->GetCertificates(chip, 1, out, Soon());
  ASSERT_TRUE(size.ok());
  EXPECT_TRUE(base::Equal(base::Bytes(out).first(*size), table));
  std::array<uint8_t, 16> in{};
  EXPECT_EQ(*ReadSome(in), 6u);
  const auto small = client_->GetCertificates(
      chip, 1, base::MutableBytes(out).first(100), Soon());
  EXPECT_EQ(small.status().code(), Code::kResourceExhausted);
}

TEST_F(ClientTest, CertificatesThatComeTooLateAreNotTakenForTheNext) {
  OpenStream();
  host_.on_frame = nullptr;
  std::array<uint8_t, channel::kChipIdSize> chip{};
  std::vector<uint8_t> out(16384);
  EXPECT_EQ(
      client_->GetCertificates(chip, 1, out, machine_.In(100)).status().code(),
      Code::kDeadlineExceeded);
  host_.on_frame = [&](const Frame& frame) {
    if (frame.type != FrameType::kGetCertificates) return;
    host_.Send(FrameType::kCertificates, channel::Certificates{B("first")});
    host_.Send(FrameType::kCertificates, channel::Certificates{B("2nd")});
  };
  const auto size = client_->GetCertificates(chip, 2, out, Soon());
  ASSERT_TRUE(size.ok());
  EXPECT_TRUE(base::Equal(base::Bytes(out).first(*size), B("2nd")));
  // A third one was not asked for.
  host_.Send(FrameType::kCertificates, channel::Certificates{B("3rd")});
  EXPECT_EQ(client_->Poll().reason(), kUnexpectedMessage);
}

TEST_F(ClientTest, CloseWaitsForTheHostAndEmptiesThePage) {
  OpenStream();
  client_->Close(Soon());
  EXPECT_FALSE(host_.endpoint->attached());
  for (uint32_t i = 0; i < kSharedRangeSize; ++i) {
    ASSERT_EQ(machine_.range().base[i], 0) << i;
  }
}

// --- A host that breaks the rules.

TEST_F(ClientTest, MoreDataThanCreditEndsTheSession) {
  OpenStream();
  host_.echo = false;
  const std::vector<uint8_t> much(16000, 1);
  for (int i = 0; i < 3; ++i) {
    host_.Send(FrameType::kData, channel::Data{1, much});
  }
  EXPECT_EQ(client_->Poll().reason(), kCreditExceeded);
  EXPECT_EQ(client_->Poll().reason(), kCreditExceeded);
}

TEST_F(ClientTest, MessagesOutOfPlaceEndTheSession) {
  const std::array<uint8_t, channel::kChipIdSize> chip{};
  const std::vector<std::function<void()>> wild = {
      [&] {
        host_.Send(FrameType::kHello, channel::Hello{1, 1, 4096, 1, B("x")});
      },
      [&] { host_.Send(FrameType::kOpen, channel::Open{1, B("x")}); },
      [&] { host_.Send(FrameType::kOpened, channel::Opened{1}); },
      [&] { host_.Send(FrameType::kOpened, channel::Opened{2}); },
      [&] { host_.Send(FrameType::kData, channel::Data{9, B("x")}); },
      [&] { host_.Send(FrameType::kCertificates, channel::Certificates{}); },
      [&] {
        host_.Send(FrameType::kGetCertificates,
                   channel::GetCertificates{chip, 1});
      },
      [&] {
        host_.Send(FrameType::kFirmwareAttach, channel::FirmwareAttach{});
      },
  };
  for (const auto& send : wild) {
    OpenStream();
    send();
    EXPECT_EQ(client_->Poll().reason(), kUnexpectedMessage);
  }
}

TEST_F(ClientTest, AWelcomeOfAnotherDaemonIsRefused) {
  ++host_.welcome.generation;  // The page has the old one.
  EXPECT_EQ(client_->Connect(B("demo/vm1"), Soon()).reason(),
            kUnexpectedMessage);
}

TEST_F(ClientTest, WildIndexesAreAnErrorWithAReason) {
  for (const uint32_t offset : {page::kToGuestHead, page::kToHostTail}) {
    for (const uint32_t by : {0x10001u, 0x20000u, 0x7FFFFFFFu, 0xFFFF0000u}) {
      OpenStream();
      const uint32_t was = machine_.range().Load32(offset);
      machine_.range().Store32(offset, was + by);
      base::Status status = client_->Poll();
      if (status.ok()) status = client_->stream().Write(B("x")).status();
      EXPECT_EQ(status.reason(), kRingIndexWild) << offset << " " << by;
    }
  }
}

TEST_F(ClientTest, AnyWordOfTheHeaderMayBeWild) {
  for (uint32_t offset = 0; offset < 0x200; offset += 4) {
    for (const uint32_t value : {0u, 1u, 0x80000000u, 0xFFFFFFFFu}) {
      LoopbackMachine machine;
      ScriptedHost host(machine);
      GuestPageTransport transport(machine.range(), machine, kProxyReadBack,
                                   machine);
      Client client(transport, machine);
      machine.host_turn = [&] {
        host.Turn();
        machine.range().Store32(offset, value);
      };
      // Succeeds or fails with a reason; never hangs, never overfills QEMU.
      const base::Status status = client.Connect(B("vm"), machine.In(3000));
      EXPECT_TRUE(status.ok() || !(status.reason() == base::Reason()));
      if (status.ok()) (void)client.OpenStream(B("v"), machine.In(3000));
      client.Close(machine.In(100));
      EXPECT_LE(machine.most_queued, LoopbackMachine::kQemuBuffer);
    }
  }
}

}  // namespace
}  // namespace proxy
