// SPDX-License-Identifier: Apache-2.0
//
// Stands for QEMU and its guest against a real daemon: a RAM file in the file
// system, and a doorbell port whose bytes go to the daemon's unix socket. As
// QEMU with reconnect=1 does, it connects again when the connection is lost
// and drops bytes while there is none.
#pragma once

#include <stdint.h>

#include <string>

#include "base/bytes.h"
#include "base/time.h"
#include "proxy/guest_transport.h"
#include "proxy/page_layout.h"
#include "proxy/shared_range.h"

namespace proxy::testing {

class FakeGuestMachine final : public Doorbell, public base::Clock {
 public:
  static constexpr uint64_t kGpa = 0x200000;
  static constexpr uint64_t kRamSize = 8 << 20;

  // Makes the RAM file; `socket_path` is connected to when first needed.
  FakeGuestMachine(std::string socket_path, std::string ram_path);
  ~FakeGuestMachine();

  SharedRange range() const { return range_; }
  void Write(uint8_t byte) override;
  // As a QEMU that is hostile: many bytes at once. Drops what does not fit.
  void Flood(base::Bytes bytes);
  uint8_t ReadBack() override { return kProxyReadBack; }
  base::Instant Now() override;
  void Relax() override;  // yields the CPU
  base::Instant In(uint64_t ms) { return Now() + base::Milliseconds{ms}; }

  void TruncateRam(uint64_t size);
  // The daemon hears no byte any more, though QEMU takes them.
  bool drop_port = false;
  void Disconnect();
  bool Connected() const { return socket_ >= 0; }

 private:
  void TryConnect();

  const std::string socket_path_;
  const std::string ram_path_;
  SharedRange range_;
  int ram_ = -1;
  int socket_ = -1;
};

}  // namespace proxy::testing
