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
#include <string>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

struct Luks2Header {
  uint64_t length = 0;  // Bytes from the start of the device.
  ossl::Digest256 sha256{};
};

// The length alone, from the primary header: `start` holds the device's first
// bytes, at least its binary header and JSON area.
//   InvalidArgument (kLuksHeader): not LUKS2, or not one to trust: no
//   encryption, keyslots outside the header, over 64 MiB.
absl::StatusOr<uint64_t> Luks2HeaderLength(base::Bytes start);

absl::StatusOr<Luks2Header> ReadLuks2Header(const std::string& device);

}  // namespace verifier
