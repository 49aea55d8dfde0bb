// SPDX-License-Identifier: Apache-2.0
//
// How much of a LUKS2 device is its header, and that header's digest: what the
// guest checks before it opens the disk (design section 2).
//
// Spec: LUKS2 On-Disk Format Specification 1.1.3, chapters 2 and 3. The header
// is both metadata copies and the keyslots area, which is all that
// `cryptsetup open --header` reads; the room up to the data segment is not
// covered. The guest's own copy decides; this reads a device its owner made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "attest/secret_set.h"
#include "base/bytes.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

struct Luks2Keyslot {
  unsigned number = 0;
  unsigned priority = 1;    // 2: tried first; 0: only if it is named
  uint64_t memory_kib = 0;  // What its argon2 needs; 0: no argon2.
};

struct Luks2Header {
  uint64_t length = 0;  // Bytes from the start of the device.
  ossl::Digest256 sha256{};
  bool integrity = false;  // dm-integrity is below a segment.
  // In the order in which cryptsetup tries them.
  std::vector<Luks2Keyslot> keyslots;
};

// The largest header that a guest takes, in bytes.
inline constexpr uint64_t kMaxLuks2Header = attest::kMaxLuks2Header;

// Without the digest, from the primary header: `start` holds the device's first
// bytes, at least its binary header and JSON area.
//   InvalidArgument (kLuksHeader): not LUKS2, or not one to trust: no
//   encryption, keyslots outside the header, over kMaxLuks2Header.
absl::StatusOr<Luks2Header> ParseLuks2Header(base::Bytes start);

// What opening the disk takes, in KiB: of the keyslots that are tried until
// `opened`, the one that wants most. Without `opened`, what the most modest
// keyslot wants: whoever has less can open none. 0: no argon2.
uint64_t Argon2MemoryKib(const Luks2Header& header,
                         std::optional<unsigned> opened);

absl::StatusOr<Luks2Header> ReadLuks2Header(const std::string& device);

}  // namespace verifier
