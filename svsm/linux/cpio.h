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
//   /etc/forelock/keys.d/V.key     0400, the key, raw
//   /etc/forelock/keys.d/V.header  0400, text, two lines:
//     length=<decimal bytes of the LUKS2 header>
//     sha256=<64 lower-case hex digits>
// Our initramfs hook reads these (tools/, initramfs).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "svsm/linux/reasons.h"

namespace svsm {

inline constexpr size_t kMaxCpioPath = 255;
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
  // Folders included: what the configuration's 8 resources of 8 path parts need
  // (proto/config.h).
  static constexpr size_t kMaxEntries = 64;

  // Enough for `secrets` secrets of together `bytes` bytes, whatever their
  // paths.
  static constexpr uint64_t RoomFor(size_t secrets, uint64_t bytes) {
    constexpr uint64_t kEntry = 110 + kMaxCpioPath + 1 + 3;  // header and name
    constexpr uint64_t kHeaderFile = 100 + 3;
    return (kMaxEntries + 1) * kEntry + secrets * (kHeaderFile + 3) + bytes;
  }

  // `out` is where the archive will stay: secrets are written nowhere else.
  explicit CpioSegment(base::MutableBytes out) : writer_(out) {}
  CpioSegment(const CpioSegment&) = delete;
  CpioSegment& operator=(const CpioSegment&) = delete;

  // Parents that the segment does not have yet are made: 0700 for
  // /etc/forelock/keys.d, else 0755. Files have mode 0400.
  //   kInvalidArgument: SL50 path, SL53 given before.
  //   kResourceExhausted: SL51 too many entries, SL52 does not fit.
  base::Status AddDisk(const DiskSecret& secret);
  base::Status AddFile(const FileSecret& secret);

  // As AddDisk() and AddFile() with a secret of `size` bytes, zeros for now:
  // whether a secret has its place can be known before there is one.
  base::Status ReserveDisk(std::string_view volume, size_t size);
  base::Status ReserveFile(std::string_view path, size_t size);

  // Writes the trailer and returns the archive, a multiple of 4 bytes long.
  base::Result<base::Bytes> Finish();

 private:
  enum class Kind : uint8_t { kAbsent, kFolder, kFile };
  // A file: bytes, then zeros.
  struct Contents {
    base::Bytes bytes;
    size_t zeros = 0;
  };

  // `path` here is relative, as in the archive.
  base::Status AddVolume(std::string_view volume, Contents key,
                         base::Bytes header);
  base::Status AddPath(std::string_view path, Contents contents);
  base::Status AddEntry(std::string_view path, uint32_t mode,
                        Contents contents);
  base::Status Put(base::Bytes bytes);
  base::Status PutZeros(size_t size);
  base::Status Pad();
  // Looks in what is written so far.
  Kind Find(std::string_view path) const;

  base::ByteWriter writer_;
  uint32_t count_ = 0;
};

}  // namespace svsm
