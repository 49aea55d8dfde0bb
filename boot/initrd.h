// SPDX-License-Identifier: Apache-2.0
//
// What Linux will make of an initrd: archives one after another, each a cpio
// in newc format, plain or compressed, with zeros between them, and a boot
// configuration (bootconfig.h) at the very end.
//
// Source: Linux init/initramfs.c unpack_to_rootfs(), lib/decompress*.c,
// Documentation/driver-api/early-userspace/buffer-format.rst. Nothing is
// decompressed: the look ends at the first compressed archive.
#pragma once

#include <stdint.h>

#include "base/bytes.h"

namespace boot {

enum class InitrdFormat : uint8_t {
  kCpio,
  kGzip,
  kBzip2,
  kLzma,
  kXz,
  kLzo,
  kLz4,
  kZstd,
};

// Why Linux does not unpack it, or not all of it: the secrets, which stand
// behind it, are lost too.
enum class InitrdFault : uint8_t {
  kNone,
  kNoArchive,   // zeros only
  kUnknown,     // no format that Linux knows
  kOldCpio,     // cpio, but not newc
  kNoMagic,     // bytes that are no cpio header where one has to be
  kMisaligned,  // an archive behind a cpio, not at a multiple of 4
  kCutOff,      // ends in the middle of a cpio entry or header
  kDamaged,     // begins like the format, but does not go on so
  kLz4Frame,    // LZ4's frame format; Linux knows the legacy one
  kXzCheck,     // a check other than none and CRC32
  kZstdWindow,  // a window over 128 MiB
};

struct InitrdLook {
  InitrdFault fault = InitrdFault::kNone;
  // Of the archive that was looked at last, and where it begins.
  InitrdFormat format = InitrdFormat::kCpio;
  uint64_t offset = 0;
  // What it unpacks to, in bytes, as far as that is written in it: plain
  // archives by their files, gzip by its trailer, zstd by its header.
  uint64_t unpacked = 0;
};

InitrdLook LookAtInitrd(base::Bytes file);

}  // namespace boot
