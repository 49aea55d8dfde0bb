// SPDX-License-Identifier: Apache-2.0
//
// FwCfgDma: FwCfgIo over fw_cfg's DMA register.
//
// Source: QEMU docs/specs/fw_cfg.rst, "Guest-side DMA Interface". The register
// is 64 bits, big-endian, at I/O port 0x514 (high half) and 0x518 (low half);
// writing the low half starts the operation. The device clears the control
// field of the access structure when it is done, or sets its error bit.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "svsm/fw_cfg/fw_cfg.h"

namespace svsm {

// What the platform does: outl(0x514, bswap32(address >> 32)), then
// outl(0x518, bswap32(address)).
class FwCfgDoorbell {
 public:
  virtual void Ring(uint64_t access_address) = 0;

 protected:
  ~FwCfgDoorbell() = default;
};

// FWCfgDmaAccess, as the device sees it. Lies in memory the host may write.
struct alignas(16) FwCfgAccess {
  uint8_t control[4];
  uint8_t length[4];
  uint8_t address[8];
};
static_assert(sizeof(FwCfgAccess) == 16);

class FwCfgDma final : public FwCfgIo {
 public:
  struct Config {
    FwCfgAccess* access = nullptr;
    uint64_t access_address = 0;  // guest-physical
    base::MutableBytes bounce;    // empty: transfers go to the buffers
    // Guest-physical address of a buffer = its address + this. Modulo 2^64.
    uint64_t address_offset = 0;
    base::Milliseconds patience{10'000};     // for one transfer
    uint64_t max_polls = uint64_t{1} << 32;  // a stopped clock ends here
  };

  FwCfgDma(const Config& config, FwCfgDoorbell& doorbell, base::Clock& clock)
      : config_(config), doorbell_(doorbell), clock_(clock) {}

  base::Status Transfer(uint32_t control, base::MutableBytes buffer) override;
  base::MutableBytes bounce() override { return config_.bounce; }

 private:
  Config config_;
  FwCfgDoorbell& doorbell_;
  base::Clock& clock_;
};

}  // namespace svsm
