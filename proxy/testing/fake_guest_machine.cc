// SPDX-License-Identifier: Apache-2.0
#include "proxy/testing/fake_guest_machine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace proxy::testing {

FakeGuestMachine::FakeGuestMachine(std::string socket_path,
                                   std::string ram_path)
    : socket_path_(std::move(socket_path)), ram_path_(std::move(ram_path)) {
  ram_ = open(ram_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (ram_ < 0 || ftruncate(ram_, kRamSize) != 0) abort();
  void* base = mmap(nullptr, kSharedRangeSize, PROT_READ | PROT_WRITE,
                    MAP_SHARED, ram_, kGpa);
  if (base == MAP_FAILED) abort();
  // EDGE: the daemon writes it too.
  range_ = {static_cast<volatile uint8_t*>(base), kGpa, kSharedRangeSize};
}

FakeGuestMachine::~FakeGuestMachine() {
  Disconnect();
  // EDGE: only the cast that munmap's interface asks for.
  munmap(const_cast<uint8_t*>(range_.base), range_.size);
  close(ram_);
}

void FakeGuestMachine::TryConnect() {
  socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket_path_.size() >= sizeof(address.sun_path)) abort();
  memcpy(address.sun_path, socket_path_.data(), socket_path_.size());
  // EDGE: the socket interface's own idea of inheritance.
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    Disconnect();
  }
}

void FakeGuestMachine::Disconnect() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

void FakeGuestMachine::Write(uint8_t byte) {
  if (drop_port) return;
  if (socket_ < 0) TryConnect();
  if (socket_ < 0) return;  // Dropped, as QEMU does.
  if (send(socket_, &byte, 1, MSG_NOSIGNAL) != 1) Disconnect();
}

void FakeGuestMachine::Flood(base::Bytes bytes) {
  if (socket_ < 0) TryConnect();
  if (socket_ < 0) return;
  // A failure shows at the next Write().
  (void)send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

base::Instant FakeGuestMachine::Now() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return base::Instant{static_cast<uint64_t>(now.tv_sec) * 1000000000 +
                       static_cast<uint64_t>(now.tv_nsec)};
}

void FakeGuestMachine::Relax() { sched_yield(); }

void FakeGuestMachine::TruncateRam(uint64_t size) {
  if (ftruncate(ram_, static_cast<off_t>(size)) != 0) abort();
}

}  // namespace proxy::testing
