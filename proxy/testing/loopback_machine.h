// SPDX-License-Identifier: Apache-2.0
//
// A guest and its QEMU in one process, for tests: RAM as a memory file, a
// doorbell port whose bytes wait in a queue, and a clock that gives the host a
// turn at each Relax(). Deterministic: one thread, made-up time.
#pragma once

#include <stdint.h>

#include <deque>
#include <functional>
#include <string>

#include "base/time.h"
#include "proxy/guest_transport.h"
#include "proxy/page_layout.h"
#include "proxy/shared_range.h"

namespace proxy::testing {

class LoopbackMachine final : public Doorbell, public base::Clock {
 public:
  static constexpr uint64_t kGpa = 0x100000;
  static constexpr uint64_t kRamSize = 4 << 20;
  // The bytes that QEMU keeps for a daemon that does not read.
  static constexpr size_t kQemuBuffer = 278;

  LoopbackMachine();
  ~LoopbackMachine();

  // What the guest sees.
  SharedRange range() const { return range_; }
  void Write(uint8_t byte) override;
  uint8_t ReadBack() override { return read_back; }
  base::Instant Now() override { return now_; }
  void Relax() override;
  base::Instant In(uint64_t ms) { return now_ + base::Milliseconds{ms}; }

  // What the daemon sees.
  const std::string& ram_path() const { return ram_path_; }
  std::deque<uint8_t>& port() { return port_; }
  // Cuts RAM to `size` bytes.
  void TruncateRam(uint64_t size);

  // Runs at each Relax().
  std::function<void()> host_turn;
  bool daemon_connected = true;  // false: bytes are dropped silently
  uint8_t read_back = kProxyReadBack;
  size_t most_queued = 0;  // bytes that ever waited in the port

 private:
  int fd_;
  std::string ram_path_;
  SharedRange range_;
  base::Instant now_{12345};
  std::deque<uint8_t> port_;
};

}  // namespace proxy::testing
