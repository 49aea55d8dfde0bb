// SPDX-License-Identifier: Apache-2.0
//
// CpioSegment: puts secrets behind the initrd as a newc archive, which Linux
// unpacks after the (compressed) archives before it.
//
// Source: Linux Documentation/driver-api/early-userspace/buffer-format.rst.
// Everything is owned by root; times and device numbers are 0, so the bytes
// depend on the secrets alone.
//
// A disk secret of volume V becomes
//   /etc/cryptsetup-keys.d/V.key     0400, the key, raw
//   /etc/cryptsetup-keys.d/V.header  0400, text, two lines:
//     length=<decimal bytes of the LUKS2 header>
//     sha256=<64 lower-case hex digits>
// Our initramfs hook reads these (tools/, initramfs).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "svsm/linux/reasons.h"

namespace svsm {

inline constexpr size_t kMaxCpioPath = 200;
inline constexpr size_t kMaxVolumeName = 64;

struct DiskSecret {
  std::string_view volume;  // [a-zA-Z0-9._-], not starting with '.'
  base::Bytes key;
  uint64_t header_length = 0;
  std::span<const uint8_t, 32> header_sha256;
};

struct FileSecret {
  std::string_view path;  // absolute, in the initramfs
  base::Bytes contents;
};

// True for an absolute path without '.', '..', empty parts or bytes outside
// printable ASCII, of at most kMaxCpioPath bytes.
bool IsCpioPath(std::string_view path);
bool IsVolumeName(std::string_view volume);

class CpioSegment {
 public:
  static constexpr size_t kMaxEntries = 64;

  // Room for `secrets` secrets of together `bytes` bytes, whatever their
  // paths.
  static constexpr uint64_t RoomFor(size_t secrets, uint64_t bytes) {
    // A header, path, padding an entry; up to 6 entries a secret (parents
    // included, kMaxCpioPath / 2 of them at worst: AddFile refuses then).
    return (secrets * 8 + 2) * (110 + kMaxCpioPath + 8) + bytes + 4096;
  }

  explicit CpioSegment(base::MutableBytes out) : writer_(out) {}
  CpioSegment(const CpioSegment&) = delete;
  CpioSegment& operator=(const CpioSegment&) = delete;

  // Parents that do not exist yet are made, with mode 0700 below
  // /etc/cryptsetup-keys.d, else 0755. Files have mode 0400.
  //   kInvalidArgument: SL50 path, SL53 given before.
  //   kResourceExhausted: SL51 too many entries, SL52 does not fit.
  base::Status AddDisk(const DiskSecret& secret);
  base::Status AddFile(const FileSecret& secret);

  // Writes the trailer and returns the archive, a multiple of 4 bytes long.
  base::Result<base::Bytes> Finish();

 private:
  base::Status AddPath(std::string_view path, base::Bytes contents);
  base::Status AddParents(std::string_view path);
  base::Status AddEntry(std::string_view path, uint32_t mode,
                        base::Bytes contents);
  bool Known(std::string_view path) const;

  struct Name {
    std::array<char, kMaxCpioPath> text;
    uint8_t size;
  };
  base::ByteWriter writer_;
  std::array<Name, kMaxEntries> names_{};
  size_t count_ = 0;
};

}  // namespace svsm
