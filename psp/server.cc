// SPDX-License-Identifier: Apache-2.0
#include "psp/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hosted/files.h"
#include "proxy/host/page_endpoint.h"
#include "psp/error.h"

namespace psp {
namespace {

using hosted::Descriptor;

// How soon to look again at a ring that the guest has not emptied.
constexpr int kPollMilliseconds = 5;
// And at one whose guest may have no bell left.
constexpr int kLookMilliseconds = int{proxy::host::kLookAgain.count()};

absl::Status SocketError(const std::string& path) {
  const absl::Status why = hosted::SystemError(path);
  return Error(kSocketUnusable, why.message(), why.code());
}

absl::StatusOr<Descriptor> Listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return SocketError(path);
  }
  memcpy(address.sun_path, path.data(), path.size());
  // EDGE: the sockets API takes any address as a sockaddr.
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  struct stat info{};
  if (lstat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode)) {
    // Only one that nobody listens on any more is ours to replace.
    const Descriptor probe(
        socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (probe.open() && connect(probe.get(), generic, sizeof(address)) != 0 &&
        errno == ECONNREFUSED) {
      unlink(path.c_str());
    }
  }
  Descriptor listener(
      socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.open() || bind(listener.get(), generic, sizeof(address)) != 0 ||
      listen(listener.get(), 4) != 0) {
    return SocketError(path);
  }
  return listener;
}

absl::StatusOr<Descriptor> Signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  Descriptor fd(sigprocmask(SIG_BLOCK, &set, nullptr) == 0
                    ? signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)
                    : -1);
  if (!fd.open()) return absl::ErrnoToStatus(errno, "signalfd");
  return fd;
}

// Whether one of them ends the daemon. A reload by habit, or a terminal that
// was closed, does not.
bool Ends(const Descriptor& signals, hosted::Log& log) {
  signalfd_siginfo signal = {};
  while (read(signals.get(), &signal, sizeof(signal)) == sizeof(signal)) {
    if (signal.ssi_signo != SIGHUP) return true;
    log.Info("SIGHUP: there is nothing to read again");
  }
  return false;
}

// Gives the service what QEMU sent. False: the connection is over.
bool Read(const Descriptor& connection, FirmwareService& service,
          FirmwareService::Next& next) {
  std::array<uint8_t, 4096> buffer;
  const ssize_t got = recv(connection.get(), buffer.data(), buffer.size(), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  next = service.Feed(base::Bytes(buffer).first(static_cast<size_t>(got)));
  return true;
}

}  // namespace

absl::Status Serve(const std::string& socket_path, FirmwareService& service,
                   hosted::Log& log) {
  const auto signals = Signals();
  if (!signals.ok()) return signals.status();
  const auto listener = Listen(socket_path);
  if (!listener.ok()) return listener.status();
  log.Info(absl::StrCat("listening on ", socket_path));

  Descriptor connection;
  auto next = FirmwareService::Next::kSleep;
  for (;;) {
    std::array<pollfd, 3> fds = {{{signals->get(), POLLIN, 0},
                                  {listener->get(), POLLIN, 0},
                                  {connection.get(), POLLIN, 0}}};
    const int timeout =
        next == FirmwareService::Next::kAgain     ? 0
        : next == FirmwareService::Next::kPoll    ? kPollMilliseconds
        : connection.open() && service.attached() ? kLookMilliseconds
                                                  : -1;
    const int ready = poll(fds.data(), fds.size(), timeout);
    if (ready < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "poll");
    if (ready < 0) continue;
    if (fds[0].revents != 0 && Ends(*signals, log)) break;
    if (fds[1].revents != 0) {
      Descriptor accepted(accept4(listener->get(), nullptr, nullptr,
                                  SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (accepted.open()) {
        connection = std::move(accepted);
        service.Connected();
      }
      continue;
    }
    next = service.Serve();
    // A session that just ended is closed before its socket is read again.
    if (next != FirmwareService::Next::kClose && connection.open() &&
        fds[2].revents != 0 && !Read(connection, service, next)) {
      connection.Close();
    }
    if (next == FirmwareService::Next::kClose) {
      connection.Close();
      next = FirmwareService::Next::kSleep;
    }
  }
  unlink(socket_path.c_str());
  return absl::OkStatus();
}

}  // namespace psp
