// SPDX-License-Identifier: Apache-2.0
#include "svsm/fw_cfg/fw_cfg.h"

#include <string.h>

#include "base/reasons.h"

namespace svsm {
namespace {

using base::Bytes;
using base::Code;
using base::MutableBytes;
using base::Result;
using base::Status;

// QEMU include/standard-headers/linux/qemu_fw_cfg.h.
constexpr uint16_t kItemSignature = 0x00;
constexpr uint16_t kItemId = 0x01;
constexpr uint16_t kItemDirectory = 0x19;
constexpr uint16_t kFirstFile = 0x20;
constexpr uint8_t kIdDma = 2;
constexpr char kSignature[] = {'Q', 'E', 'M', 'U'};
constexpr size_t kEntrySize = 64;

Status Malformed() { return Status(Code::kDataLoss, kFwCfgDirectory); }

// The length of a name in its field; 0 if it is not a proper one.
uint8_t NameSize(Bytes field) {
  for (size_t i = 0; i < field.size(); ++i) {
    if (field[i] == 0) return static_cast<uint8_t>(i);
    if (field[i] <= 0x20 || field[i] >= 0x7F) return 0;
  }
  return 0;
}

}  // namespace

Status FwCfg::Open() {
  count_ = 0;
  std::array<uint8_t, 4> word{};
  BASE_TRY(ReadItem(kItemSignature, word));
  if (memcmp(word.data(), kSignature, sizeof(kSignature)) != 0) {
    return Status(Code::kUnavailable, kFwCfgAbsent);
  }
  BASE_TRY(ReadItem(kItemId, word));
  if ((word[0] & kIdDma) == 0) return Status(Code::kUnavailable, kFwCfgAbsent);

  BASE_TRY(ReadItem(kItemDirectory, word));
  const uint32_t count = base::LoadBe<uint32_t>(word);
  if (count > kMaxFiles) return Malformed();
  std::array<uint8_t, 16 * kEntrySize> batch{};
  for (size_t done = 0; done < count;) {
    const size_t left = count - done;
    const size_t now = left < 16 ? left : 16;
    const MutableBytes bytes = MutableBytes(batch).first(now * kEntrySize);
    BASE_TRY(Move(FwCfgIo::kRead, bytes));
    base::ByteReader in{Bytes(bytes)};
    for (size_t i = 0; i < now; ++i) BASE_TRY(AddEntry(in));
    done += now;
  }
  return {};
}

Status FwCfg::AddEntry(base::ByteReader& in) {
  Entry& entry = entries_[count_];
  BASE_TRY_ASSIGN(entry.file.size, in.U32Be());
  BASE_TRY_ASSIGN(entry.file.selector, in.U16Be());
  BASE_TRY(base::StatusOf(in.U16()));  // reserved
  BASE_TRY_ASSIGN(const Bytes name, in.Take(kMaxName));
  if (entry.file.selector < kFirstFile) return Malformed();
  entry.name_size = NameSize(name);
  if (entry.name_size == 0) return Malformed();
  memcpy(entry.name.data(), name.data(), kMaxName);
  if (Find(NameOf(entry)).ok()) {
    return Status(Code::kDataLoss, kFwCfgDuplicate);
  }
  ++count_;
  return {};
}

Result<FwCfgFile> FwCfg::Find(std::string_view name) const {
  for (size_t i = 0; i < count_; ++i) {
    if (NameOf(entries_[i]) == name) return entries_[i].file;
  }
  return Status(Code::kNotFound, kFwCfgNotFound);
}

Status FwCfg::Read(FwCfgFile file, MutableBytes out) {
  if (out.size() != file.size) return Status(Code::kDataLoss, kFwCfgSize);
  return ReadItem(file.selector, out);
}

Status FwCfg::ReadItem(uint16_t selector, MutableBytes out) {
  return Move((uint32_t{selector} << 16) | FwCfgIo::kSelect | FwCfgIo::kRead,
              out);
}

// Only the first transfer of an item selects; the device keeps the offset.
Status FwCfg::Move(uint32_t control, MutableBytes out) {
  const MutableBytes bounce = io_.bounce();
  size_t limit = kChunk;
  if (!bounce.empty() && bounce.size() < limit) limit = bounce.size();
  while (!out.empty()) {
    const size_t now = out.size() < limit ? out.size() : limit;
    const MutableBytes place = out.first(now);
    if (bounce.empty()) {
      BASE_TRY(io_.Transfer(control, place));
    } else {
      BASE_TRY(io_.Transfer(control, bounce.first(now)));
      memcpy(place.data(), bounce.data(), now);
    }
    control = FwCfgIo::kRead;
    out = out.subspan(now);
  }
  return {};
}

}  // namespace svsm
