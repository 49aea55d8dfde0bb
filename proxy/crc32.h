// SPDX-License-Identifier: Apache-2.0
//
// CRC-32 (ISO 3309, the one of zlib and Ethernet). Finds the start of a record
// after lost bytes; it is no protection against a hostile peer.
#pragma once

#include <stdint.h>

#include "base/bytes.h"

namespace proxy {

// Bit by bit: headers are 28 bytes at most, a table would cost the guest 1 KiB.
constexpr uint32_t Crc32(base::Bytes bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0u);
    }
  }
  return ~crc;
}

}  // namespace proxy
