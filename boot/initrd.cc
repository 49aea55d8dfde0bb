// SPDX-License-Identifier: Apache-2.0
#include "boot/initrd.h"

#include <optional>

#include "base/result.h"
#include "boot/bootconfig.h"

namespace boot {
namespace {

using base::Bytes;

// buffer-format.rst: a magic of 6 bytes, then 13 fields of 8 hex digits.
constexpr size_t kCpioHeader = 6 + 13 * 8;
constexpr size_t kModeAt = 6 + 8;
constexpr size_t kFileSizeAt = 6 + 6 * 8;
constexpr size_t kNameSizeAt = 6 + 11 * 8;
constexpr uint32_t kTypeMask = 0170000;
constexpr uint32_t kRegular = 0100000;
constexpr uint64_t kPage = 4096;

constexpr uint64_t Up4(uint64_t size) { return (size + 3) & ~uint64_t{3}; }

bool StartsWith(Bytes file, Bytes magic) {
  return file.size() >= magic.size() &&
         base::Equal(file.first(magic.size()), magic);
}

template <typename T>
T Le(Bytes file, size_t offset) {
  return base::LoadLe<T>(file.subspan(offset).template first<sizeof(T)>());
}

// Linux's simple_strntoul(): ends at what is no digit.
uint32_t Hex(Bytes header, size_t offset) {
  uint32_t value = 0;
  for (const uint8_t c : header.subspan(offset, 8)) {
    uint32_t digit = 0;
    if (c >= '0' && c <= '9') {
      digit = static_cast<uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      digit = static_cast<uint32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      digit = static_cast<uint32_t>(c - 'A' + 10);
    } else {
      break;
    }
    value = (value << 4) | digit;
  }
  return value;
}

// --- Compressed archives: what the first bytes say.

InitrdFault GzipFault(Bytes archive) {
  constexpr uint8_t kDeflate = 8;
  constexpr size_t kHeader = 10;
  return archive.size() < kHeader || archive[1] != 0x8B ||
                 archive[2] != kDeflate
             ? InitrdFault::kDamaged
             : InitrdFault::kNone;
}

InitrdFault XzFault(Bytes archive) {
  constexpr uint8_t kMagic[] = {0xFD, '7', 'z', 'X', 'Z', 0, 0};
  constexpr uint8_t kCrc32 = 1;
  if (!StartsWith(archive, kMagic) || archive.size() <= sizeof(kMagic)) {
    return InitrdFault::kDamaged;
  }
  // Stream flags: the id of the check.
  return archive[sizeof(kMagic)] > kCrc32 ? InitrdFault::kXzCheck
                                          : InitrdFault::kNone;
}

InitrdFault Lz4Fault(Bytes archive) {
  constexpr uint8_t kLegacy[] = {0x02, 0x21, 0x4C, 0x18};
  return StartsWith(archive, kLegacy) ? InitrdFault::kNone
                                      : InitrdFault::kDamaged;
}

// RFC 8878, 3.1.1.1.
struct ZstdFrame {
  uint64_t window = 0;
  std::optional<uint64_t> content;
};
std::optional<ZstdFrame> ParseZstd(Bytes archive) {
  constexpr uint8_t kMagic[] = {0x28, 0xB5, 0x2F, 0xFD};
  constexpr size_t kDictionarySize[] = {0, 1, 2, 4};
  if (!StartsWith(archive, kMagic) || archive.size() < 5) return std::nullopt;
  const uint8_t descriptor = archive[4];
  const bool single = (descriptor & 0x20) != 0;
  const size_t content_at =
      5 + (single ? 0 : 1) + kDictionarySize[descriptor & 3];
  const unsigned content_code = descriptor >> 6;
  size_t content_size = content_code == 0 ? 0 : size_t{1} << content_code;
  if (single && content_code == 0) content_size = 1;
  if (archive.size() < content_at + content_size) return std::nullopt;
  ZstdFrame frame;
  switch (content_size) {
    case 1:
      frame.content = archive[content_at];
      break;
    case 2:
      frame.content = uint64_t{Le<uint16_t>(archive, content_at)} + 256;
      break;
    case 4:
      frame.content = Le<uint32_t>(archive, content_at);
      break;
    case 8:
      frame.content = Le<uint64_t>(archive, content_at);
      break;
    default:
      break;
  }
  if (single) {
    frame.window = *frame.content;
  } else {
    const uint64_t base = uint64_t{1} << (10 + (archive[5] >> 3));
    frame.window = base + base / 8 * (archive[5] & 7);
  }
  return frame;
}

// A gzip trailer is believed up to this ratio: behind another archive the
// file's last bytes are not one.
constexpr uint64_t kMaxRatio = 20;

uint64_t GzipUnpacked(Bytes archive) {
  const uint64_t size = Le<uint32_t>(archive, archive.size() - 4);
  return size / kMaxRatio > archive.size() ? 0 : size;
}

void LookAtZstd(Bytes archive, InitrdLook& look) {
  constexpr uint64_t kMaxWindow = uint64_t{1} << 27;  // decompress_unzstd.c
  const auto frame = ParseZstd(archive);
  if (!frame) {
    look.fault = InitrdFault::kDamaged;
  } else if (frame->window > kMaxWindow) {
    look.fault = InitrdFault::kZstdWindow;
  } else {
    look.unpacked += frame->content.value_or(0);
  }
}

// By the two bytes that decompress_method() goes by.
void LookAtCompressed(Bytes archive, InitrdLook& look) {
  const auto begins = [&](uint8_t first, uint8_t second) {
    return archive.size() >= 2 && archive[0] == first && archive[1] == second;
  };
  const auto take = [&](InitrdFormat format, InitrdFault fault) {
    look.format = format;
    look.fault = fault;
  };
  const auto magic = [&](Bytes bytes) {
    return StartsWith(archive, bytes) ? InitrdFault::kNone
                                      : InitrdFault::kDamaged;
  };
  constexpr uint8_t kBzip2[] = {'B', 'Z', 'h'};
  constexpr uint8_t kLzo[] = {0x89, 'L', 'Z', 'O', 0, '\r', '\n', 0x1A, '\n'};
  constexpr uint8_t kLz4Frame[] = {0x04, 0x22, 0x4D, 0x18};
  constexpr uint8_t kBinaryCpio[] = {0xC7, 0x71};
  if (begins(0x1F, 0x8B) || begins(0x1F, 0x9E)) {
    take(InitrdFormat::kGzip, GzipFault(archive));
    if (look.fault == InitrdFault::kNone) {
      look.unpacked += GzipUnpacked(archive);
    }
  } else if (begins('B', 'Z')) {
    take(InitrdFormat::kBzip2, magic(kBzip2));
  } else if (begins(0x5D, 0)) {
    take(InitrdFormat::kLzma, InitrdFault::kNone);
  } else if (begins(0xFD, '7')) {
    take(InitrdFormat::kXz, XzFault(archive));
  } else if (begins(0x89, 'L')) {
    take(InitrdFormat::kLzo, magic(kLzo));
  } else if (begins(0x02, 0x21)) {
    take(InitrdFormat::kLz4, Lz4Fault(archive));
  } else if (begins(0x28, 0xB5)) {
    take(InitrdFormat::kZstd, InitrdFault::kNone);
    LookAtZstd(archive, look);
  } else if (StartsWith(archive, kLz4Frame)) {
    take(InitrdFormat::kLz4, InitrdFault::kLz4Frame);
  } else if (StartsWith(archive, kBinaryCpio)) {
    look.fault = InitrdFault::kOldCpio;
  } else {
    look.fault = InitrdFault::kUnknown;
  }
}

// --- Plain cpio.

// The entry at `offset`: where the next one begins, or nullopt and the fault.
std::optional<uint64_t> NextEntry(Bytes file, uint64_t offset,
                                  InitrdLook& look) {
  constexpr uint8_t kNewc[] = {'0', '7', '0', '7', '0', '1'};
  constexpr uint8_t kNewcWithSum[] = {'0', '7', '0', '7', '0', '2'};
  constexpr uint8_t kOld[] = {'0', '7', '0', '7', '0', '7'};
  const Bytes entry = file.subspan(offset);
  if (!StartsWith(entry, kNewc) && !StartsWith(entry, kNewcWithSum)) {
    look.fault =
        StartsWith(entry, kOld) ? InitrdFault::kOldCpio : InitrdFault::kNoMagic;
    return std::nullopt;
  }
  if (entry.size() < kCpioHeader) {
    look.fault = InitrdFault::kCutOff;
    return std::nullopt;
  }
  const uint32_t mode = Hex(entry, kModeAt);
  const uint64_t size = Hex(entry, kFileSizeAt);
  const uint64_t name = Hex(entry, kNameSizeAt);
  // Header and name together end at a multiple of 4; so does the file. The
  // loader pads the end.
  const uint64_t next = Up4(offset + Up4(kCpioHeader + name) + size);
  if (next > Up4(file.size())) {
    look.fault = InitrdFault::kCutOff;
    return std::nullopt;
  }
  // A file takes whole pages of memory.
  if ((mode & kTypeMask) == kRegular) {
    look.unpacked += (size + kPage - 1) & ~(kPage - 1);
  }
  return next;
}

}  // namespace

InitrdLook LookAtInitrd(Bytes file) {
  // Linux cuts it off first; in front of it may be a gzip trailer. A damaged
  // one it takes for an archive.
  const base::Result<size_t> trailer = BootconfigSize(file);
  if (trailer.ok()) file = file.first(file.size() - *trailer);
  InitrdLook look;
  look.fault = InitrdFault::kNoArchive;
  bool behind_cpio = false;
  uint64_t at = 0;
  while (at < file.size()) {
    if (file[at] == 0) {
      ++at;
      continue;
    }
    look.offset = at;
    look.fault = InitrdFault::kNone;
    const bool aligned = at % 4 == 0;
    if (behind_cpio && !aligned) {
      look.fault = InitrdFault::kMisaligned;
      return look;
    }
    if (file[at] != '0' || !aligned) {
      LookAtCompressed(file.subspan(at), look);
      return look;
    }
    const auto next = NextEntry(file, at, look);
    if (!next) return look;
    behind_cpio = true;
    at = *next;
  }
  return look;
}

}  // namespace boot
