// SPDX-License-Identifier: Apache-2.0
//
// Where the doorbells are: QEMU's isa-debugcon devices of the proxy channel
// and of the emulated secure processor (docs/channel.md, "The port").
#pragma once

#include <stdint.h>

namespace proto {

// I/O port, and what reading it gives: that the device is there, never that a
// daemon is. The configuration may name another port for the proxy.
inline constexpr uint16_t kProxyPort = 0x5f0;
inline constexpr uint8_t kProxyReadBack = 0x53;
inline constexpr uint16_t kFirmwarePort = 0x5f8;
inline constexpr uint8_t kFirmwareReadBack = 0x54;

}  // namespace proto
