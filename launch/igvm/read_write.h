// SPDX-License-Identifier: Apache-2.0
//
// IGVM files from and to bytes.
//
// Reading is strict where the format has a rule: sizes, checksum, padding and
// reserved bytes, order of sections, alignment, ranges, parameter areas. Types
// and flags that are not known are kept, for those who list; whoever launches
// or measures refuses what it does not know.
#pragma once

#include <stdint.h>

#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "launch/igvm/igvm.h"

namespace igvm {

inline constexpr size_t kMaxFileSize = 256 << 20;
inline constexpr size_t kMaxHeaders = 1 << 20;

// `bytes` outlives the result, which points into it.
//   InvalidArgument: IG1 to IG9, with the header's number and offset.
absl::StatusOr<File> Read(base::Bytes bytes);

// Same headers, same bytes: equal data is stored once. Read() accepts the
// result.
//   InvalidArgument: a rule of the format is broken (IG5 to IG9). IG9 also for
//   headers whose data overlaps so often that finding equal data takes long.
absl::StatusOr<std::vector<uint8_t>> Write(const File& file);

// CRC-32 as in IEEE 802.3 (reflected 0x04C11DB7). `so_far` is that of the bytes
// before.
uint32_t Crc32(base::Bytes bytes, uint32_t so_far = 0);

}  // namespace igvm
