// SPDX-License-Identifier: Apache-2.0
#include "svsm/boot/start_info.h"

#include <string.h>

#include "base/bytes.h"
#include "svsm/reasons.h"

namespace svsm {
namespace {

constexpr uint32_t kMagic = 0x336EC578;
constexpr uint32_t kFirstVersionWithMap = 1;
constexpr size_t kHeaderSize = 56;
constexpr size_t kMapEntrySize = 24;

base::Status Malformed() {
  return base::Status(base::Code::kDataLoss, kStartInfo);
}

// A private copy of `size` bytes at `address`.
base::Status CopyOut(const PhysicalWindow& memory, uint64_t limit,
                     uint64_t address, base::MutableBytes out) {
  if (address > limit || out.size() > limit - address) return Malformed();
  memcpy(out.data(), memory.At(address, out.size()).data(), out.size());
  return {};
}

}  // namespace

base::Status ReadStartInfo(const PhysicalWindow& memory, uint64_t limit,
                           uint64_t address, StartInfo& out) {
  out.count = 0;
  uint8_t header[kHeaderSize];
  BASE_TRY(CopyOut(memory, limit, address, header));
  base::ByteReader in(header);
  BASE_TRY_ASSIGN(const uint32_t magic, in.U32());
  BASE_TRY_ASSIGN(const uint32_t version, in.U32());
  // flags, number and address of modules, command line, RSDP: not used.
  BASE_TRY(in.Take(4 + 4 + 8 + 8 + 8));
  BASE_TRY_ASSIGN(const uint64_t map_address, in.U64());
  BASE_TRY_ASSIGN(const uint32_t map_count, in.U32());
  if (magic != kMagic || version < kFirstVersionWithMap ||
      map_count > out.entries.size()) {
    return Malformed();
  }
  for (size_t i = 0; i < map_count; ++i) {
    uint64_t entry_address = 0;
    if (__builtin_add_overflow(map_address, i * kMapEntrySize,
                               &entry_address)) {
      return Malformed();
    }
    uint8_t entry[kMapEntrySize];
    BASE_TRY(CopyOut(memory, limit, entry_address, entry));
    base::ByteReader fields(entry);
    BASE_TRY_ASSIGN(out.entries[i].address, fields.U64());
    BASE_TRY_ASSIGN(out.entries[i].size, fields.U64());
    BASE_TRY_ASSIGN(out.entries[i].type, fields.U32());
  }
  out.count = map_count;
  return {};
}

}  // namespace svsm
