// SPDX-License-Identifier: Apache-2.0
//
// The daemon as a whole: what its operator and its guests see.
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_stream.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "gtest/gtest.h"
#include "host-proxy/testing/daemon_fixture.h"
#include "proto/channel.h"
#include "proxy/client.h"
#include "proxy/frame.h"
#include "proxy/guest_transport.h"
#include "proxy/page_layout.h"
#include "proxy/reasons.h"
#include "proxy/registration.h"
#include "proxy/testing/fake_guest_machine.h"

namespace host_proxy {
namespace {

namespace channel = proto::channel;
using proxy::testing::FakeGuestMachine;
using testing::B;
using testing::Daemon;
using testing::Guest;
using testing::kPatience;
using testing::Pattern;

using DaemonTest = testing::DaemonTest;

TEST_F(DaemonTest, RelaysAndPrintsThePhases) {
  StartDaemon();
  const auto guest = MakeGuest();
  ASSERT_TRUE(guest->Open().ok());
  EXPECT_TRUE(guest->Echo(Pattern(300)).ok());
  EXPECT_TRUE(guest->Echo(Pattern(1 << 20)).ok());
  const std::array<uint8_t, 16> decision = {0xAB, 0xCD};
  const base::Instant soon = guest->machine.In(kPatience);
  ASSERT_TRUE(
      guest->client
          ->SendProgress(
              {.phase = channel::Phase::kStarted, .elapsed_us = 12345}, soon)
          .ok());
  ASSERT_TRUE(guest->client
                  ->SendProgress({.phase = channel::Phase::kRefused,
                                  .outcome = 3,
                                  .decision_id = decision},
                                 soon)
                  .ok());
  ASSERT_TRUE(guest->client
                  ->SendProgress({.phase = channel::Phase::kFailed,
                                  .reason = proxy::kProxyAbsent.bits,
                                  .text = B("the proxy does not answer")},
                                 soon)
                  .ok());
  EXPECT_TRUE(daemon_->Printed("vm1: started (0.012 s)"));
  EXPECT_TRUE(
      daemon_->Printed("vm1: refused: not_authorised, decision "
                       "abcd0000000000000000000000000000"));
  EXPECT_TRUE(daemon_->Printed("vm1: failed: PC4 the proxy does not answer"))
      << daemon_->log();
}

TEST_F(DaemonTest, HandsOverThePageAtTheEnd) {
  StartDaemon();
  const auto guest = MakeGuest();
  ASSERT_TRUE(guest->Open().ok());
  guest->client->Close(guest->machine.In(kPatience));
  // Linux's memory now; a late doorbell must not bring the daemon back to it.
  for (int i = 0; i < 100; ++i) guest->machine.Write(proxy::kDoorbellByte);
  const auto other = MakeGuest();
  ASSERT_TRUE(other->Open().ok());  // The daemon has read all of the above.
}

TEST_F(DaemonTest, RefusesWhatItCannotReach) {
  StartDaemon();
  const auto guest = MakeGuest();
  EXPECT_EQ(guest->Open("elsewhere").reason(), proxy::kEndpointUnknown);
  EXPECT_EQ(guest->Open("nobody").reason(), proxy::kEndpointUnreachable);
  EXPECT_EQ(guest->Open("nameless").reason(), proxy::kEndpointUnreachable);
  EXPECT_TRUE(daemon_->Printed("HP8"));
  EXPECT_TRUE(guest->Open().ok());
}

TEST_F(DaemonTest, ServesCertificatesFromItsFolder) {
  StartDaemon();
  const auto guest = MakeGuest();
  ASSERT_TRUE(guest->Open().ok());
  std::array<uint8_t, channel::kChipIdSize> chip{};
  chip.fill(0x1F);
  std::vector<uint8_t> out(channel::kMaxCertificateTable);
  const auto ask = [&] {
    return guest->client->GetCertificates(chip, 0x0102030405060708, out,
                                          guest->machine.In(kPatience));
  };
  EXPECT_EQ(*ask(), 0u);
  EXPECT_TRUE(daemon_->Printed("HP6"));
  std::filesystem::create_directory(folder_ / "certs");
  std::string name;
  for (int i = 0; i < 64; ++i) name += "1f";
  const std::string file = "certs/vcek-" + name + "-0102030405060708.certs";
  const auto sent = [&] {
    const auto size = ask();
    if (!size.ok()) return std::string("failed");
    return std::string(out.begin(), out.begin() + static_cast<long>(*size));
  };
  // As it is, whatever it is.
  std::ofstream(folder_ / file) << "no table";
  EXPECT_EQ(sent(), "no table");
  std::ofstream(folder_ / "new") << std::string(out.size(), 'x');
  std::filesystem::rename(folder_ / "new", folder_ / file);
  EXPECT_EQ(sent(), std::string(out.size(), 'x'));
  for (const char* vlek : {"b", "a"}) {
    std::ofstream(folder_ / ("certs/vlek-" + std::string(vlek) +
                             "-0102030405060708.certs"))
        << vlek;
  }
  EXPECT_EQ(sent(), "a");
  EXPECT_TRUE(daemon_->Printed(": 2 VLEKs of this TCB; sends vlek-a-"));

  // A folder costs time, and the time is all VMs'.
  std::filesystem::remove_all(folder_ / "certs");
  for (int i = 0; i < 20; ++i) {
    chip.fill(static_cast<uint8_t>(i));
    EXPECT_EQ(*ask(), 0u);
  }
  EXPECT_TRUE(daemon_->Printed("vm1: asks for too many certificates"));
}

TEST_F(DaemonTest, RestartIsNoticedAndTheGuestCanGoOn) {
  StartDaemon();
  const auto guest = MakeGuest();
  ASSERT_TRUE(guest->Open().ok());
  ASSERT_TRUE(guest->Echo(Pattern(100)).ok());
  daemon_->Signal(SIGKILL);
  daemon_->Wait();
  StartDaemon();  // The dead one's socket is replaced.
  const base::Status end = guest->WaitForEnd();
  // The new one has not heard of this guest.
  EXPECT_EQ(end.reason(), proxy::kProxyAbsent)
      << base::NameOf(end.reason()).text;
  ASSERT_TRUE(guest->Open().ok());
  EXPECT_TRUE(guest->Echo(Pattern(100)).ok());
}

// A guest has 32 bells; afterwards the daemon's timer is what finds its bytes.
TEST_F(DaemonTest, LooksByItsTimerWhenTheGuestHasNoBellLeft) {
  StartDaemon(1);
  const auto guest = MakeGuest(1);
  ASSERT_TRUE(guest->Open().ok());
  // As if they were rung: the timer alone is what this is about.
  guest->machine.drop_port = true;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(guest->Echo(Pattern(10)).ok()) << i;
  }
  EXPECT_LE(guest->transport.port_writes(), proxy::kPortBytesPerBoot);
}

// The VM was reset, or the guest gave up waiting and Linux has its memory.
class ForeignPageTest : public DaemonTest,
                        public ::testing::WithParamInterface<uint8_t> {
 protected:
  // Until the daemon has looked into the page `times` more.
  static bool WaitForLooks(Guest& guest, uint32_t times) {
    const auto looks = [&] {
      return guest.machine.range().Load32(proxy::page::kHostLooks);
    };
    const base::Instant deadline = guest.machine.In(kPatience);
    const uint32_t before = looks();
    while (looks() - before < times) {
      if (guest.machine.Passed(deadline)) return false;
      guest.machine.Relax();
    }
    return true;
  }
  // The rings have moved; then all of it is something else.
  void TakeBack(Guest& guest) {
    ASSERT_TRUE(guest.Open().ok());
    ASSERT_TRUE(guest.Echo(Pattern(1000)).ok());
    // The daemon is at rest, not in the middle of a turn.
    ASSERT_TRUE(WaitForLooks(guest, 8));
    // A guest empties its page from the start of it on.
    guest.machine.range().Store32(proxy::page::kHostSession, 0);
    guest.machine.range().CopyIn(0, foreign_);
  }
  void ExpectUntouched(Guest& guest) {
    std::vector<uint8_t> now(foreign_.size());
    guest.machine.range().CopyOut(0, now);
    EXPECT_TRUE(now == foreign_) << daemon_->log();
  }

  const std::vector<uint8_t> foreign_ =
      std::vector<uint8_t>(proxy::kSharedRangeSize, GetParam());
};
INSTANTIATE_TEST_SUITE_P(Bytes, ForeignPageTest,
                         ::testing::Values(uint8_t{0x00}, uint8_t{0xA5}));

TEST_P(ForeignPageTest, NothingIsWrittenThere) {
  StartDaemon(2);
  const auto other = MakeGuest(2);
  ASSERT_TRUE(other->Open().ok());
  const auto guest = MakeGuest(1);
  TakeBack(*guest);
  // By the timer, which both have.
  ASSERT_TRUE(WaitForLooks(*other, 3));
  ExpectUntouched(*guest);
  EXPECT_TRUE(daemon_->Printed("vm1: session dropped")) << daemon_->log();
  // What is late must not bring it back.
  for (int i = 0; i < 10; ++i) guest->machine.Write(proxy::kDoorbellByte);
  ASSERT_TRUE(WaitForLooks(*other, 3));
  ExpectUntouched(*guest);

  // The connection has stayed: the next boot registers on it.
  proxy::GuestPageTransport transport(guest->machine.range(), guest->machine,
                                      proxy::kProxyReadBack, guest->machine);
  const auto next = std::make_unique<proxy::Client>(transport, guest->machine);
  EXPECT_TRUE(next->Connect(B("demo/vm1"), guest->machine.In(kPatience)).ok());
  EXPECT_EQ(daemon_->log().find("vm1: session ended"), std::string::npos);
}

TEST_P(ForeignPageTest, NorAtTheDaemonsEnd) {
  StartDaemon();
  const auto guest = MakeGuest();
  TakeBack(*guest);
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
  ExpectUntouched(*guest);
}

// It waits for room then, and never comes to rest.
TEST_F(DaemonTest, LooksWhileTheGuestDoesNotRead) {
  StartDaemon();
  const auto guest = MakeGuest();
  ASSERT_TRUE(guest->Open().ok());
  const auto looks = [&] {
    return guest->machine.range().Load32(proxy::page::kHostLooks);
  };
  // Until the ring to the guest takes no more Pong.
  const base::Instant deadline = guest->machine.In(kPatience);
  proxy::FrameChannel frames(guest->transport);
  const auto full = [&] {
    const proxy::SharedRange page = guest->machine.range();
    return page.Load32(proxy::page::kToGuestHead) -
               page.Load32(proxy::page::kToGuestTail) ==
           proxy::kRingSize;
  };
  while (!full() && !guest->machine.Passed(deadline)) {
    const auto flushed = frames.Flush();
    ASSERT_TRUE(flushed.ok());
    if (*flushed == base::Step::kDone) {
      ASSERT_TRUE(SendMessage(frames, proxy::FrameType::kPing,
                              channel::Ping{0x1234567890})
                      .ok());
    }
  }
  ASSERT_TRUE(full());
  const uint32_t before = looks();
  while (looks() - before < 3 && !guest->machine.Passed(deadline)) {
    guest->machine.Relax();
  }
  EXPECT_GE(looks() - before, 3u);
}

TEST_F(DaemonTest, SigtermInASessionEndsItCleanly) {
  StartDaemon();
  const auto guest = MakeGuest();
  ASSERT_TRUE(guest->Open().ok());
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
  EXPECT_EQ(guest->WaitForEnd().reason(), proxy::kProxyShuttingDown);
  EXPECT_FALSE(std::filesystem::exists(Socket(1)));
}

TEST_F(DaemonTest, SighupEndsNothing) {
  StartDaemon();
  const auto guest = MakeGuest();
  ASSERT_TRUE(guest->Open().ok());
  for (int i = 0; i < 2; ++i) {
    daemon_->Signal(SIGHUP);
    ASSERT_TRUE(daemon_->Printed("SIGHUP: the configuration is read at the"))
        << daemon_->log();
    EXPECT_TRUE(guest->Echo(Pattern(1000)).ok());
  }
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
}

// More lines of guests than wait for a reader who has stalled.
TEST_F(DaemonTest, ItsLogHoldsNothingUp) {
  constexpr int kGuests = 24;
  StartDaemon(kGuests);
  daemon_->StallOutput();
  const auto refused = proxy::EncodeRegistration(
      {.gpa = 1, .length = proxy::kSharedRangeSize, .session = 1});
  for (int i = 1; i <= kGuests; ++i) {
    const auto guest = MakeGuest(i);
    for (int lines = 0; lines < 70; ++lines) {
      for (const uint8_t byte : refused) guest->machine.Write(byte);
    }
    // Behind all of these, so they have been read.
    ASSERT_TRUE(guest->Open().ok()) << i;
    ASSERT_TRUE(guest->Echo(Pattern(1000)).ok()) << i;
  }
  EXPECT_TRUE(daemon_->Printed(" lines dropped\n"));
  daemon_->StallOutput();
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
}

TEST_F(DaemonTest, SigtermWhileConnectingEndsAtOnce) {
  StartDaemon();
  const auto guest = MakeGuest();
  ASSERT_TRUE(
      guest->client->Connect(B("vm"), guest->machine.In(kPatience)).ok());
  const auto sent = guest->client->link().SendMessage(
      proxy::FrameType::kOpen, channel::Open{1, B("nameless")},
      guest->machine.In(kPatience));
  ASSERT_TRUE(sent.ok());
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
}

TEST_F(DaemonTest, OneBadVmHarmsNoOther) {
  StartDaemon(4);
  const auto good = MakeGuest(1);
  ASSERT_TRUE(good->Open().ok());

  // Registrations that cannot be, without end.
  FakeGuestMachine bad(Socket(2), Ram(2));
  const uint64_t gpas[] = {0,
                           1,
                           FakeGuestMachine::kRamSize,
                           FakeGuestMachine::kRamSize - 4096,
                           UINT64_MAX - 4095,
                           uint64_t{1} << 32,
                           0x7FFFF000};
  for (int i = 0; i < 50; ++i) {
    for (const uint64_t gpa : gpas) {
      for (const uint32_t length :
           {0u, 1u, proxy::kSharedRangeSize, 0x80000000u, 0xFFFFFFFFu}) {
        for (const uint8_t byte : proxy::EncodeRegistration(
                 {.gpa = gpa, .length = length, .session = 1})) {
          bad.Write(byte);
        }
      }
    }
  }
  // Noise and doorbells.
  for (int i = 0; i < 100000; ++i) {
    bad.Write(static_cast<uint8_t>(i % 3 == 0 ? proxy::kDoorbellByte : i));
  }
  EXPECT_TRUE(daemon_->Printed("vm2: registration rejected: PC22"));

  // RAM that goes away under a session.
  const auto lost = MakeGuest(3);
  ASSERT_TRUE(lost->Open().ok());
  lost->machine.TruncateRam(4096);
  for (int i = 0; i < 100; ++i) lost->machine.Write(proxy::kDoorbellByte);
  EXPECT_TRUE(daemon_->Printed("vm3: session ended: PC24")) << daemon_->log();

  // Close, and bytes without end after it.
  const auto flood = MakeGuest(4);
  ASSERT_TRUE(flood->Open().ok());
  daemon_->Signal(SIGSTOP);
  const auto sent = flood->client->link().SendMessage(
      proxy::FrameType::kClose, channel::Close{0, channel::CloseReason::kDone},
      flood->machine.In(kPatience));
  ASSERT_TRUE(sent.ok());
  const std::vector<uint8_t> doorbells(64 * 1024, proxy::kDoorbellByte);
  flood->machine.Flood(doorbells);
  daemon_->Signal(SIGCONT);
  EXPECT_TRUE(daemon_->Printed("vm4: QEMU writes without end after Close"))
      << daemon_->log();
  for (int i = 0; i < 100; ++i) flood->machine.Flood(doorbells);

  EXPECT_TRUE(good->Echo(Pattern(100000)).ok());
}

TEST_F(DaemonTest, NewConnectionReplacesTheOld) {
  StartDaemon();
  const auto first = MakeGuest();
  ASSERT_TRUE(first->Open().ok());
  std::filesystem::remove(Ram(1));
  const auto second = MakeGuest();
  ASSERT_TRUE(second->Open().ok());
  EXPECT_TRUE(second->Echo(Pattern(100)).ok());
}

TEST_F(DaemonTest, RamShorterThanTheRegistrationSays) {
  StartDaemon();
  FakeGuestMachine machine(Socket(1), Ram(1));
  machine.TruncateRam(FakeGuestMachine::kGpa + 4096);
  for (const uint8_t byte :
       proxy::EncodeRegistration({.gpa = FakeGuestMachine::kGpa,
                                  .length = proxy::kSharedRangeSize,
                                  .session = 1})) {
    machine.Write(byte);
  }
  EXPECT_TRUE(daemon_->Printed("registration rejected: PC22"));
}

// What an operator needs to mend it: code, words, path and the system's word.
TEST_F(DaemonTest, ARamFileThatCannotBeOpened) {
  StartDaemon();
  FakeGuestMachine machine(Socket(1), Ram(1));
  std::filesystem::remove(Ram(1));
  std::filesystem::create_directory(Ram(1));
  for (const uint8_t byte :
       proxy::EncodeRegistration({.gpa = FakeGuestMachine::kGpa,
                                  .length = proxy::kSharedRangeSize,
                                  .session = 1})) {
    machine.Write(byte);
  }
  EXPECT_TRUE(
      daemon_->Printed("registration rejected: PC25 the RAM file cannot "
                       "be opened or mapped: " +
                       std::string(Ram(1)) + ": Is a directory"))
      << daemon_->log();
}

TEST_F(DaemonTest, ChecksItsConfiguration) {
  WriteConfig(1);
  Daemon good({"--check", "--config", folder_ / "proxy.toml"});
  EXPECT_TRUE(good.Printed("configuration is good"));
  EXPECT_EQ(good.Wait(), 0);
  std::ofstream(folder_ / "bad.toml") << "[[vm]]\nlabel = \"a\"\nsokket = 1\n";
  Daemon bad({"--check", "--config", folder_ / "bad.toml"});
  EXPECT_TRUE(
      bad.Printed("forelock-proxy: HP3 the configuration has an "
                  "unknown key: "))
      << bad.log();
  EXPECT_TRUE(
      bad.Printed("bad.toml:3:1: unknown key 'vm.sokket'; "
                  "socket is missing"))
      << bad.log();
  EXPECT_EQ(bad.Wait(), 1);
  Daemon absent({"--config", folder_ / "absent.toml"});
  EXPECT_TRUE(absent.Printed("HP1")) << absent.log();
  EXPECT_EQ(absent.Wait(), 1);
  Daemon wrong({"--check"});
  EXPECT_TRUE(wrong.Printed("usage: forelock-proxy --config FILE [--check]\n"))
      << wrong.log();
  EXPECT_EQ(wrong.Wait(), 2);
}

TEST_F(DaemonTest, LeavesOtherFilesAloneAndHidesItsSocket) {
  WriteConfig(1);
  std::ofstream(Socket(1)) << "precious";
  Daemon daemon({"--config", folder_ / "proxy.toml"});
  EXPECT_TRUE(daemon.Printed("HP5")) << daemon.log();
  EXPECT_EQ(daemon.Wait(), 1);
  EXPECT_EQ(std::filesystem::file_size(Socket(1)), 8u);
  std::filesystem::remove(Socket(1));
  StartDaemon();
  struct stat status = {};
  ASSERT_EQ(stat(Socket(1).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  Daemon second({"--config", folder_ / "proxy.toml"});
  EXPECT_TRUE(second.Printed("another process listens")) << second.log();

  // A listener whose queue is full does not hold us up.
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(), 0);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  const int peer = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  Socket(1).copy(address.sun_path, sizeof(address.sun_path) - 1);
  // EDGE: the socket interface's own idea of inheritance.
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  ASSERT_EQ(bind(listener, generic, sizeof(address)), 0);
  ASSERT_EQ(listen(listener, 0), 0);
  ASSERT_EQ(connect(peer, generic, sizeof(address)), 0);
  Daemon third({"--config", folder_ / "proxy.toml"});
  EXPECT_TRUE(third.Printed("another process listens")) << third.log();
  close(peer);
  close(listener);
}

}  // namespace
}  // namespace host_proxy
