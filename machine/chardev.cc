// SPDX-License-Identifier: Apache-2.0
#include "machine/chardev.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace machine {

bool Chardev::Connect() {
  if (fd_ >= 0) return true;
  next_try_ = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof(address.sun_path)) return false;
  memcpy(address.sun_path, path_.data(), path_.size());
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  // EDGE: the sockets API takes any address as a sockaddr.
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (fd_ >= 0 && connect(fd_, generic, sizeof(address)) != 0) Close();
  return fd_ >= 0;
}

void Chardev::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool Chardev::HungUp() const {
  uint8_t unused;
  const ssize_t got = recv(fd_, &unused, 1, MSG_DONTWAIT | MSG_PEEK);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

void Chardev::Write(uint8_t byte) {
  if (fd_ >= 0 && HungUp()) Close();
  if (fd_ < 0 && (std::chrono::steady_clock::now() < next_try_ || !Connect())) {
    return;
  }
  for (;;) {
    const ssize_t sent = send(fd_, &byte, 1, MSG_NOSIGNAL);
    if (sent == 1) return;
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      pollfd writable = {fd_, POLLOUT, 0};
      (void)poll(&writable, 1, -1);
      continue;
    }
    Close();
    return;
  }
}

}  // namespace machine
