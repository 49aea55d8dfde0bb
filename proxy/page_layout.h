// SPDX-License-Identifier: Apache-2.0
//
// What lies where in the shared range of the page transport (docs/channel.md,
// "The page"). Offsets in bytes; every word is little-endian and naturally
// aligned. Words that one side writes share no cache line with the other's.
#pragma once

#include <stdint.h>

#include "proto/ports.h"

namespace proxy {

inline constexpr uint32_t kPageSize = 4096;
inline constexpr uint32_t kRingSize = 64 * 1024;  // a power of two

namespace page {
// Written by the host at attach; kHostSession is written last.
inline constexpr uint32_t kHostSession = 0x040;  // echo of the registration
inline constexpr uint32_t kHostStatus = 0x044;   // base::Reason bits; 0: fine
inline constexpr uint32_t kHostGeneration = 0x048;  // u64, never 0
// Registrations so far; only guests of before kHostLooks read it.
inline constexpr uint32_t kHostRecordsSeen = 0x050;
inline constexpr uint32_t kHostLooks = 0x054;  // grows: the daemon lives
// Written by the host before it sleeps: the number of the doorbell that it
// waits for. The guest rings number n+1 after number n, each only if wanted.
inline constexpr uint32_t kBellWanted = 0x080;
// The ring guest -> host: free-running, in bytes.
inline constexpr uint32_t kToHostHead = 0x0C0;  // written by the guest
inline constexpr uint32_t kBellsRung = 0x0C4;   // written by the guest
inline constexpr uint32_t kToHostTail = 0x100;  // written by the host
// The ring host -> guest.
inline constexpr uint32_t kToGuestHead = 0x140;  // written by the host
inline constexpr uint32_t kToGuestTail = 0x180;  // written by the guest

inline constexpr uint32_t kToHostData = kPageSize;
inline constexpr uint32_t kToGuestData = kToHostData + kRingSize;
inline constexpr uint32_t kSize = kToGuestData + kRingSize;
}  // namespace page

// Bytes of the shared range, page-aligned: one header page and two rings.
inline constexpr uint32_t kSharedRangeSize = page::kSize;
static_assert(kSharedRangeSize % kPageSize == 0);

using proto::kFirmwarePort;
using proto::kFirmwareReadBack;
using proto::kProxyReadBack;

// The one byte of a doorbell. It is not the first byte of a registration.
inline constexpr uint8_t kDoorbellByte = 'D';

// QEMU keeps 278 unread bytes; the next one blocks the virtual CPU inside its
// OUT. Whether any were read is only the page's word, which is the host's. So a
// boot never writes more than this to a port, whatever the page says.
inline constexpr uint32_t kPortBytesPerBoot = 256;
inline constexpr uint32_t kRegistrationsPerBoot = 8;
inline constexpr uint32_t kBellsPerBoot = 32;

}  // namespace proxy
