// SPDX-License-Identifier: Apache-2.0
//
// The registration record: what the guest writes to the doorbell port, byte by
// byte, to show the daemon where the shared range is (docs/channel.md,
// "Registration"). It may come again at any time.
//
//   0 magic "FLCR"   4 version u16   6 flags u16 (0)   8 GPA u64
//   16 length u32    20 session u32  24 CRC-32 of bytes 0..23
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/result.h"

namespace proxy {

inline constexpr size_t kRegistrationSize = 28;
inline constexpr uint16_t kRegistrationVersion = 1;

struct Registration {
  uint64_t gpa = 0;      // of the shared range, page-aligned
  uint32_t length = 0;   // kSharedRangeSize
  uint32_t session = 0;  // not 0; a new one for each start with empty rings

  friend bool operator==(const Registration&, const Registration&) = default;
};

using RegistrationRecord = std::array<uint8_t, kRegistrationSize>;

RegistrationRecord EncodeRegistration(const Registration& registration);

// True if magic and checksum are right, that is, if this is a record at all.
bool IsRegistration(std::span<const uint8_t, kRegistrationSize> record);

// Reads a record for which IsRegistration() is true. The range is checked as
// far as possible without the RAM file: aligned, not empty, below 2 GiB, the
// length of this layout, no wrap.
//   kInvalidArgument (kRegistrationMalformed): version, flags or session.
//   kInvalidArgument (kSharedRangeInvalid): the range.
base::Result<Registration> ParseRegistration(
    std::span<const uint8_t, kRegistrationSize> record);

// Below this, a guest-physical address is the offset into the RAM file on
// every QEMU machine that was measured (docs/channel.md).
inline constexpr uint64_t kSharedRangeLimit = uint64_t{2} << 30;

}  // namespace proxy
