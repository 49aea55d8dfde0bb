// SPDX-License-Identifier: Apache-2.0
//
// The real daemon as a process, real guests' clients against it, a real TCP
// server behind it.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/reasons.h"
#include "gtest/gtest.h"
#include "proto/channel.h"
#include "proxy/client.h"
#include "proxy/guest_transport.h"
#include "proxy/page_layout.h"
#include "proxy/reasons.h"
#include "proxy/registration.h"
#include "proxy/testing/fake_guest_machine.h"

extern char** environ;

namespace host_proxy {
namespace {

namespace channel = proto::channel;
using proxy::testing::FakeGuestMachine;

constexpr uint64_t kPatience = 60000;  // ms; tests run on a loaded machine

base::Bytes B(std::string_view text) {
  // EDGE: characters as bytes.
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// A folder whose name is short enough for a unix socket.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/flproxyXXXXXX";
    if (mkdtemp(name) == nullptr) abort();
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }

 private:
  std::string path_;
};

// The daemon's process and what it printed.
class Daemon {
 public:
  explicit Daemon(const std::vector<std::string>& arguments) {
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) abort();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 1);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 2);
    std::vector<std::string> all = {"host-proxy/forelock-proxy"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& argument : all) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) !=
        0) {
      abort();
    }
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fds[1]);
    output_ = pipe_fds[0];
  }
  ~Daemon() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      Wait();
    }
    close(output_);
  }
  void Signal(int number) { kill(pid_, number); }
  // The exit code, or 1000 + the signal that ended it.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  // True once `text` was printed; false at the end or after a minute.
  bool Printed(std::string_view text) {
    while (log_.find(text) == std::string::npos) {
      pollfd readable = {output_, POLLIN, 0};
      std::array<char, 4096> in;
      if (poll(&readable, 1, static_cast<int>(kPatience)) != 1) return false;
      const ssize_t count = read(output_, in.data(), in.size());
      if (count <= 0) return false;
      log_.append(in.data(), static_cast<size_t>(count));
    }
    return true;
  }
  const std::string& log() const { return log_; }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
  std::string log_;
};

// Sends back what it gets, until the peer closes; then takes the next one.
class EchoServer {
 public:
  EchoServer() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    // EDGE: the socket interface's own idea of inheritance (twice).
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, size) != 0 || listen(listener_, 16) != 0 ||
        getsockname(listener_, generic, &size) != 0) {
      abort();
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~EchoServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  int port() const { return port_; }

 private:
  void Serve() {
    for (;;) {
      const int peer = accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      std::array<uint8_t, 65536> bytes;
      for (;;) {
        const ssize_t count = read(peer, bytes.data(), bytes.size());
        if (count <= 0) break;
        for (ssize_t at = 0; at < count;) {
          const ssize_t sent =
              send(peer, bytes.data() + at, static_cast<size_t>(count - at),
                   MSG_NOSIGNAL);
          if (sent <= 0) break;
          at += sent;
        }
      }
      close(peer);
    }
  }
  int listener_;
  int port_ = 0;
  std::thread thread_;
};

// A guest with its client.
struct Guest {
  Guest(const std::string& socket, const std::string& ram)
      : machine(socket, ram),
        transport(machine.range(), machine, proxy::kProxyReadBack, machine),
        client(std::make_unique<proxy::Client>(transport, machine)) {}

  base::Status Open(std::string_view endpoint = "verifier") {
    BASE_TRY(client->Connect(B("demo/vm1"), machine.In(kPatience)));
    return client->OpenStream(B(endpoint), machine.In(kPatience));
  }
  // Sends `sent` and reads as much back.
  base::Status Echo(base::Bytes sent) {
    std::vector<uint8_t> got;
    const base::Instant deadline = machine.In(kPatience);
    size_t written = 0;
    while (got.size() < sent.size()) {
      if (machine.Passed(deadline)) {
        return base::Status(base::Code::kDeadlineExceeded,
                            base::kDeadlinePassed);
      }
      if (written < sent.size()) {
        BASE_TRY_ASSIGN(const size_t count,
                        client->stream().Write(sent.subspan(written)));
        written += count;
      }
      std::array<uint8_t, 4096> in;
      BASE_TRY_ASSIGN(const size_t count, client->stream().Read(in));
      got.insert(got.end(), in.begin(),
                 in.begin() + static_cast<ptrdiff_t>(count));
      if (count == 0) machine.Relax();
    }
    return base::Equal(got, sent)
               ? base::Status()
               : base::Status(base::Code::kDataLoss, base::kBytesLeftOver);
  }
  // Reads until the stream ends, for a while.
  base::Status WaitForEnd() {
    const base::Instant deadline = machine.In(kPatience);
    for (;;) {
      std::array<uint8_t, 4096> in;
      const auto count = client->stream().Read(in);
      if (!count.ok()) return count.status();
      if (machine.Passed(deadline)) return {};
      machine.Relax();
    }
  }

  FakeGuestMachine machine;
  proxy::GuestPageTransport transport;
  std::unique_ptr<proxy::Client> client;
};

class DaemonTest : public ::testing::Test {
 protected:
  void WriteConfig(int vms) {
    std::ofstream out(folder_ / "proxy.toml");
    out << "connect_timeout_ms = 2000\n";
    for (int i = 1; i <= vms; ++i) {
      out << "[[vm]]\nlabel = \"vm" << i << "\"\nsocket = \"" << Socket(i)
          << "\"\nram = \"" << Ram(i) << "\"\ncertificates = \""
          << (folder_ / "certs") << "\"\n[vm.endpoints]\nverifier = "
          << "\"127.0.0.1:" << echo_.port() << "\"\n"
          << "nobody = \"127.0.0.1:1\"\nnameless = \"no.such.invalid:1\"\n";
    }
  }
  void StartDaemon(int vms = 1) {
    WriteConfig(vms);
    daemon_.reset();
    daemon_ = std::make_unique<Daemon>(
        std::vector<std::string>{"--config", folder_ / "proxy.toml"});
    ASSERT_TRUE(daemon_->Printed("ready")) << daemon_->log();
  }
  std::string Socket(int i) const {
    return folder_ / ("vm" + std::to_string(i) + ".sock");
  }
  std::string Ram(int i) const {
    return folder_ / ("vm" + std::to_string(i) + ".ram");
  }
  std::unique_ptr<Guest> MakeGuest(int i = 1) {
    return std::make_unique<Guest>(Socket(i), Ram(i));
  }

  Folder folder_;
  EchoServer echo_;
  std::unique_ptr<Daemon> daemon_;
};

std::vector<uint8_t> Pattern(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<uint8_t>(i * 7 + (i >> 8));
  }
  return bytes;
}

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
  std::ofstream(folder_ / ("certs/vcek-" + name + "-0102030405060708.der"))
      << "VCEK";
  std::ofstream(folder_ / "certs/ask.der") << "ASK";
  std::ofstream(folder_ / "certs/ark.der") << "ARK";
  const auto size = ask();
  ASSERT_TRUE(size.ok());
  EXPECT_GT(*size, 4u * 24);
  const std::string_view table(
      // EDGE: bytes as characters.
      reinterpret_cast<const char*>(out.data()), *size);
  EXPECT_NE(table.find("VCEK"), std::string_view::npos);
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
  EXPECT_EQ(end.reason(), proxy::kProxyRestarted)
      << base::NameOf(end.reason()).text;
  ASSERT_TRUE(guest->Open().ok());
  EXPECT_TRUE(guest->Echo(Pattern(100)).ok());
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
  StartDaemon(3);
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

TEST_F(DaemonTest, ChecksItsConfiguration) {
  WriteConfig(1);
  Daemon good({"--check", "--config", folder_ / "proxy.toml"});
  EXPECT_TRUE(good.Printed("configuration is good"));
  EXPECT_EQ(good.Wait(), 0);
  std::ofstream(folder_ / "bad.toml") << "[[vm]]\nlabel = \"a\"\nsokket = 1\n";
  Daemon bad({"--check", "--config", folder_ / "bad.toml"});
  EXPECT_TRUE(bad.Printed("bad.toml:3:1: HP3 unknown key 'sokket'"))
      << bad.log();
  EXPECT_EQ(bad.Wait(), 1);
  Daemon absent({"--config", folder_ / "absent.toml"});
  EXPECT_TRUE(absent.Printed("HP1")) << absent.log();
  EXPECT_EQ(absent.Wait(), 1);
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
}

}  // namespace
}  // namespace host_proxy
