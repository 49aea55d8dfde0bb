// SPDX-License-Identifier: Apache-2.0
#include "proxy/testing/loopback_machine.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace proxy::testing {

LoopbackMachine::LoopbackMachine() : fd_(memfd_create("ram", MFD_CLOEXEC)) {
  if (fd_ < 0 || ftruncate(fd_, kRamSize) != 0) abort();
  void* base = mmap(nullptr, kSharedRangeSize, PROT_READ | PROT_WRITE,
                    MAP_SHARED, fd_, kGpa);
  if (base == MAP_FAILED) abort();
  // EDGE: the daemon writes it too.
  range_ = {static_cast<volatile uint8_t*>(base), kGpa, kSharedRangeSize};
  ram_path_ = "/proc/self/fd/" + std::to_string(fd_);
}

LoopbackMachine::~LoopbackMachine() {
  // EDGE: only the cast that munmap's interface asks for.
  munmap(const_cast<uint8_t*>(range_.base), range_.size);
  close(fd_);
}

void LoopbackMachine::Write(uint8_t byte) {
  if (!daemon_connected) return;
  port_.push_back(byte);
  most_queued = std::max(most_queued, port_.size());
}

void LoopbackMachine::Relax() {
  now_ = now_ + base::Milliseconds{1};
  if (host_turn) host_turn();
}

void LoopbackMachine::TruncateRam(uint64_t size) {
  if (ftruncate(fd_, static_cast<off_t>(size)) != 0) abort();
}

}  // namespace proxy::testing
