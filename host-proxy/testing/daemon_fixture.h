// SPDX-License-Identifier: Apache-2.0
//
// The real daemon as a process, guests' real clients against it, and a real TCP
// server behind it.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/reasons.h"
#include "base/result.h"
#include "base/time.h"
#include "gtest/gtest.h"
#include "proxy/client.h"
#include "proxy/guest_transport.h"
#include "proxy/page_layout.h"
#include "proxy/testing/fake_guest_machine.h"

extern char** environ;

namespace host_proxy::testing {

using proxy::testing::FakeGuestMachine;

constexpr uint64_t kPatience = 60000;  // ms; tests run on a loaded machine

inline base::Bytes B(std::string_view text) {
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
  // As if nobody read what it prints: its pipe takes not one byte more.
  void StallOutput() const {
    // The same pipe, but flags of our own.
    const std::string path = "/proc/self/fd/" + std::to_string(output_);
    const int fd = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) abort();
    while (write(fd, "#", 1) == 1) {
    }
    close(fd);
  }
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

// Sends back what it gets, to any number of peers.
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
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~EchoServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    close(listener_);
    for (Peer& peer : peers_) {
      shutdown(peer.socket, SHUT_RDWR);
      peer.thread.join();
      close(peer.socket);
    }
  }
  int port() const { return port_; }

 private:
  struct Peer {
    int socket;
    std::thread thread;
  };

  void Accept() {
    for (;;) {
      const int peer = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      peers_.push_back({peer, std::thread([peer] { Echo(peer); })});
    }
  }
  static void Echo(int peer) {
    std::array<uint8_t, 65536> bytes;
    for (;;) {
      const ssize_t count = read(peer, bytes.data(), bytes.size());
      if (count <= 0) return;
      for (ssize_t at = 0; at < count;) {
        const ssize_t sent =
            send(peer, bytes.data() + at, static_cast<size_t>(count - at),
                 MSG_NOSIGNAL);
        if (sent <= 0) return;
        at += sent;
      }
    }
  }

  int listener_;
  int port_ = 0;
  std::vector<Peer> peers_;  // The acceptor's, until it has ended.
  std::thread acceptor_;
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

inline std::vector<uint8_t> Pattern(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<uint8_t>(i * 7 + (i >> 8));
  }
  return bytes;
}

}  // namespace host_proxy::testing
