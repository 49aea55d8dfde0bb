// SPDX-License-Identifier: Apache-2.0
//
// The devices that the image reaches by I/O port, behind the interfaces of
// those who use them.
#pragma once

#include <stdint.h>

#include "proxy/guest_transport.h"
#include "svsm/cpu/entropy.h"
#include "svsm/fw_cfg/fw_cfg_dma.h"
#include "svsm/hw/cpu.h"
#include "svsm/platform/platform.h"

namespace svsm {

// QEMU's isa-debugcon: a byte written goes to the host's daemon, a byte read
// shows that the device is there.
class PortDoorbell final : public proxy::Doorbell {
 public:
  explicit PortDoorbell(uint16_t port) : port_(port) {}
  void Write(uint8_t byte) override { ThePlatform().Out8(port_, byte); }
  uint8_t ReadBack() override { return ThePlatform().In8(port_); }

 private:
  uint16_t port_;
};

class PortFwCfgDoorbell final : public FwCfgDoorbell {
 public:
  // The register is big-endian; its low half starts the transfer.
  void Ring(uint64_t access_address) override {
    ThePlatform().Out32(
        kHigh, __builtin_bswap32(static_cast<uint32_t>(access_address >> 32)));
    ThePlatform().Out32(
        kLow, __builtin_bswap32(static_cast<uint32_t>(access_address)));
  }

 private:
  static constexpr uint16_t kHigh = 0x514;
  static constexpr uint16_t kLow = 0x518;
};

class CpuRandom final : public RandomInstructions {
 public:
  bool Rdrand64(uint64_t* out) override { return hw::Rdrand64(out); }
  bool Rdseed64(uint64_t* out) override { return hw::Rdseed64(out); }
  void Relax() override { hw::Pause(); }
};

}  // namespace svsm
