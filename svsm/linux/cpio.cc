// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/cpio.h"

#include <string.h>

namespace svsm {
namespace {

using base::Bytes;
using base::Code;
using base::MutableBytes;
using base::Result;
using base::Status;

// buffer-format.rst: a magic of 6 bytes, then 13 fields of 8 hex digits.
constexpr char kMagic[] = "070701";
constexpr size_t kHeaderSize = 6 + 13 * 8;
constexpr size_t kModeAt = 6 + 8;
constexpr size_t kFileSizeAt = 6 + 6 * 8;
constexpr uint32_t kFolderBit = 040000;
constexpr uint32_t kFileMode = 0100400;
// In systemd's own folder, /etc/cryptsetup-keys.d, a stock initrd would find
// the key before the header was checked (docs/design/0020-key-folder.md).
constexpr std::string_view kKeyFolder = "etc/forelock/keys.d";
constexpr std::string_view kTrailer = "TRAILER!!!";
constexpr std::string_view kKeySuffix = ".key";
constexpr std::string_view kHeaderSuffix = ".header";

Bytes AsBytes(std::string_view text) {
  // EDGE: text as the bytes it is made of.
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void PutHex(uint32_t value, uint8_t* out) {
  for (size_t i = 8; i-- > 0; value >>= 4) {
    out[i] = static_cast<uint8_t>("0123456789ABCDEF"[value & 15]);
  }
}

// Of our own output only.
uint32_t GetHex(Bytes field) {
  uint32_t value = 0;
  for (const uint8_t c : field.first(8)) {
    value =
        (value << 4) | static_cast<uint32_t>(c <= '9' ? c - '0' : c - 'A' + 10);
  }
  return value;
}

constexpr size_t RoundUp4(size_t size) { return (size + 3) & ~size_t{3}; }

Status BadPath() { return Status(Code::kInvalidArgument, kCpioPath); }

// "length=<decimal>\nsha256=<hex>\n"; at most 100 bytes.
struct HeaderText {
  uint8_t text[100];
  size_t size = 0;

  HeaderText(uint64_t length, std::span<const uint8_t, 32> sha256) {
    Append("length=");
    uint8_t digits[20];
    size_t count = 0;
    do {
      digits[count++] = static_cast<uint8_t>('0' + length % 10);
      length /= 10;
    } while (length != 0);
    while (count > 0) text[size++] = digits[--count];
    Append("\nsha256=");
    for (const uint8_t byte : sha256) {
      text[size++] = static_cast<uint8_t>("0123456789abcdef"[byte >> 4]);
      text[size++] = static_cast<uint8_t>("0123456789abcdef"[byte & 15]);
    }
    Append("\n");
  }
  void Append(std::string_view part) {
    memcpy(text + size, part.data(), part.size());
    size += part.size();
  }
};

}  // namespace

bool IsCpioPath(std::string_view path) {
  if (path.size() < 2 || path.size() > kMaxCpioPath || path[0] != '/') {
    return false;
  }
  size_t part = 0;  // length of the part before `i`
  for (size_t i = 1; i <= path.size(); ++i) {
    if (i < path.size() && path[i] != '/') {
      if (path[i] <= ' ' || path[i] > '~') return false;
      ++part;
      continue;
    }
    const std::string_view name = path.substr(i - part, part);
    if (name.empty() || name == "." || name == "..") return false;
    part = 0;
  }
  return true;
}

bool IsVolumeName(std::string_view volume) {
  if (volume.empty() || volume.size() > kMaxVolumeName || volume[0] == '.') {
    return false;
  }
  for (const char c : volume) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if (!letter && !digit && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

Status CpioSegment::AddDisk(const DiskSecret& secret) {
  const HeaderText header(secret.header_length, secret.header_sha256);
  return AddVolume(secret.volume, {.bytes = secret.key},
                   Bytes(header.text, header.size));
}

Status CpioSegment::ReserveDisk(std::string_view volume, size_t size) {
  // No header's text is longer.
  constexpr uint8_t kNoDigest[32] = {};
  const HeaderText header(UINT64_MAX, kNoDigest);
  return AddVolume(volume, {.zeros = size}, Bytes(header.text, header.size));
}

Status CpioSegment::AddVolume(std::string_view volume, Contents key,
                              Bytes header) {
  if (!IsVolumeName(volume)) return BadPath();
  char path[kKeyFolder.size() + 1 + kMaxVolumeName + kHeaderSuffix.size()];
  size_t size = 0;
  const auto append = [&](std::string_view part) {
    memcpy(path + size, part.data(), part.size());
    size += part.size();
  };
  append(kKeyFolder);
  append("/");
  append(volume);
  const size_t stem = size;
  append(kKeySuffix);
  BASE_TRY(AddPath({path, size}, key));
  size = stem;
  append(kHeaderSuffix);
  return AddPath({path, size}, {.bytes = header});
}

Status CpioSegment::AddFile(const FileSecret& secret) {
  if (!IsCpioPath(secret.path)) return BadPath();
  return AddPath(secret.path.substr(1), {.bytes = secret.contents});
}

Status CpioSegment::ReserveFile(std::string_view path, size_t size) {
  if (!IsCpioPath(path)) return BadPath();
  return AddPath(path.substr(1), {.zeros = size});
}

Status CpioSegment::AddPath(std::string_view path, Contents contents) {
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] != '/') continue;
    const std::string_view parent = path.substr(0, i);
    const Kind kind = Find(parent);
    if (kind == Kind::kFolder) continue;
    if (kind == Kind::kFile) {
      return Status(Code::kInvalidArgument, kCpioDuplicate);
    }
    const uint32_t mode = parent == kKeyFolder ? 0700 : 0755;
    BASE_TRY(AddEntry(parent, kFolderBit | mode, {}));
  }
  if (Find(path) != Kind::kAbsent) {
    return Status(Code::kInvalidArgument, kCpioDuplicate);
  }
  return AddEntry(path, kFileMode, contents);
}

Status CpioSegment::AddEntry(std::string_view path, uint32_t mode,
                             Contents contents) {
  if (count_ == kMaxEntries && path != kTrailer) {
    return Status(Code::kResourceExhausted, kCpioTooMany);
  }
  if (contents.bytes.size() > UINT32_MAX ||
      contents.zeros > UINT32_MAX - contents.bytes.size()) {
    return Status(Code::kResourceExhausted, kCpioFull);
  }
  const size_t file_size = contents.bytes.size() + contents.zeros;
  const uint32_t links = (mode & kFolderBit) != 0 ? 2 : 1;
  const uint32_t fields[13] = {++count_,
                               mode,
                               0 /* uid */,
                               0 /* gid */,
                               links,
                               0 /* mtime */,
                               static_cast<uint32_t>(file_size),
                               0,
                               0,
                               0,
                               0,
                               static_cast<uint32_t>(path.size() + 1),
                               0 /* check */};
  uint8_t header[kHeaderSize];
  memcpy(header, kMagic, 6);
  for (size_t i = 0; i < 13; ++i) PutHex(fields[i], header + 6 + 8 * i);
  const uint8_t nul = 0;
  BASE_TRY(Put(header));
  BASE_TRY(Put(AsBytes(path)));
  BASE_TRY(Put(Bytes(&nul, 1)));
  BASE_TRY(Pad());
  BASE_TRY(Put(contents.bytes));
  BASE_TRY(PutZeros(contents.zeros));
  return Pad();
}

Status CpioSegment::Put(Bytes bytes) {
  if (writer_.Put(bytes).ok()) return {};
  return Status(Code::kResourceExhausted, kCpioFull);
}

Status CpioSegment::PutZeros(size_t size) {
  const Result<MutableBytes> place = writer_.Reserve(size);
  if (!place.ok()) return Status(Code::kResourceExhausted, kCpioFull);
  if (size != 0) memset(place->data(), 0, size);
  return {};
}

Status CpioSegment::Pad() {
  const size_t size = writer_.size();
  return PutZeros(RoundUp4(size) - size);
}

CpioSegment::Kind CpioSegment::Find(std::string_view path) const {
  Bytes rest = writer_.written();
  while (!rest.empty()) {
    const uint32_t mode = GetHex(rest.subspan(kModeAt));
    const uint32_t file_size = GetHex(rest.subspan(kFileSizeAt));
    const Bytes name = rest.subspan(kHeaderSize);
    size_t name_size = 0;
    while (name[name_size] != 0) ++name_size;
    if (base::Equal(name.first(name_size), AsBytes(path))) {
      return (mode & kFolderBit) != 0 ? Kind::kFolder : Kind::kFile;
    }
    rest = rest.subspan(RoundUp4(kHeaderSize + name_size + 1) +
                        RoundUp4(file_size));
  }
  return Kind::kAbsent;
}

Result<Bytes> CpioSegment::Finish() {
  BASE_TRY(AddEntry(kTrailer, 0, {}));
  return writer_.written();
}

}  // namespace svsm
