// SPDX-License-Identifier: Apache-2.0
#include "machine/fw_cfg_device.h"

#include <string.h>

#include <algorithm>
#include <array>

namespace machine {
namespace {

constexpr uint16_t kSignatureItem = 0x00, kIdItem = 0x01, kDirectoryItem = 0x19,
                   kFirstFile = 0x20;
constexpr uint8_t kTraditionalAndDma = 3;

// Offsets of registers from kBase.
constexpr uint16_t kSelector = 0, kData = 1, kDmaHigh = 4, kDmaLow = 8;
// What the DMA register reads as: its first half.
constexpr uint32_t kDmaSignatureHigh = 0x51454D55;  // "QEMU"
constexpr uint32_t kDmaSignatureLow = 0x20434647;   // " CFG"

// FWCfgDmaAccess: control u32, length u32, address u64, big-endian.
constexpr size_t kAccessSize = 16;
constexpr uint32_t kError = 1, kRead = 2, kSkip = 4, kSelect = 8, kWrite = 16;

void PutBe32(uint32_t value, std::vector<uint8_t>& out) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<uint8_t>(value >> shift));
  }
}

}  // namespace

FwCfgDevice::FwCfgDevice(HostView& memory,
                         std::function<void(uint64_t gpa)> on_private)
    : memory_(memory), on_private_(std::move(on_private)) {
  items_[kSignatureItem] = {'Q', 'E', 'M', 'U'};
  items_[kIdItem] = {kTraditionalAndDma, 0, 0, 0};
}

void FwCfgDevice::AddFile(std::string_view name,
                          std::vector<uint8_t> contents) {
  files_[std::string(name.substr(0, kMaxName - 1))] = std::move(contents);
  directory_made_ = false;
}

// Files in the order of their names, as QEMU sorts them.
void FwCfgDevice::MakeDirectory() {
  std::vector<uint8_t> directory;
  PutBe32(static_cast<uint32_t>(files_.size()), directory);
  uint16_t selector = kFirstFile;
  for (const auto& [name, contents] : files_) {
    PutBe32(static_cast<uint32_t>(contents.size()), directory);
    directory.push_back(static_cast<uint8_t>(selector >> 8));
    directory.push_back(static_cast<uint8_t>(selector));
    directory.insert(directory.end(), 2, 0);
    directory.insert(directory.end(), name.begin(), name.end());
    directory.insert(directory.end(), kMaxName - name.size(), 0);
    names_[selector] = name;
    items_[selector++] = contents;
  }
  items_[kDirectoryItem] = std::move(directory);
  directory_made_ = true;
}

void FwCfgDevice::Select(uint16_t selector) {
  if (!directory_made_) MakeDirectory();
  selector_ = selector;
  offset_ = 0;
  const auto name = names_.find(selector);
  if (name != names_.end() && on_select_) on_select_(name->second);
}

const std::vector<uint8_t>& FwCfgDevice::Current() {
  static const auto* const kNothing = new std::vector<uint8_t>;
  const auto it = items_.find(selector_);
  return it == items_.end() ? *kNothing : it->second;
}

uint32_t FwCfgDevice::Read(uint16_t offset, unsigned size) {
  if (offset == kData && size == 1) {
    const std::vector<uint8_t>& item = Current();
    return offset_ < item.size() ? item[offset_++] : 0;
  }
  if (offset == kDmaHigh && size == 4) {
    return __builtin_bswap32(kDmaSignatureHigh);
  }
  if (offset == kDmaLow && size == 4) {
    return __builtin_bswap32(kDmaSignatureLow);
  }
  return ~uint32_t{0};
}

void FwCfgDevice::Write(uint16_t offset, unsigned size, uint32_t value) {
  if (offset == kSelector && size == 2) {
    Select(static_cast<uint16_t>(value));
  } else if (offset == kDmaHigh && size == 4) {
    dma_high_ = __builtin_bswap32(value);
  } else if (offset == kDmaLow && size == 4) {
    RunDma(uint64_t{dma_high_} << 32 | __builtin_bswap32(value));
    dma_high_ = 0;
  }
}

void FwCfgDevice::RunDma(uint64_t access_gpa) {
  const base::MutableBytes access = memory_.Shared(access_gpa, kAccessSize);
  if (access.empty()) {
    on_private_(access_gpa);
    return;
  }
  // Read once: the guest may write to it meanwhile.
  std::array<uint8_t, kAccessSize> copy;
  memcpy(copy.data(), access.data(), kAccessSize);
  const std::span<const uint8_t, kAccessSize> bytes(copy);
  const auto control = base::LoadBe<uint32_t>(bytes.subspan<0, 4>());
  const auto length = base::LoadBe<uint32_t>(bytes.subspan<4, 4>());
  const auto gpa = base::LoadBe<uint64_t>(bytes.subspan<8, 8>());
  if (control & kSelect) Select(static_cast<uint16_t>(control >> 16));
  bool ok = true;
  if (control & kRead) {
    ok = Transfer(gpa, length);
  } else if (control & kWrite) {
    ok = false;  // No file can be written.
  } else if (control & kSkip) {
    offset_ += length;
  }
  base::StoreBe<uint32_t>(ok ? 0 : kError, access.first<4>());
}

bool FwCfgDevice::Transfer(uint64_t gpa, uint32_t length) {
  if (length == 0) return true;
  const base::MutableBytes out = memory_.Shared(gpa, length);
  if (out.empty()) {
    on_private_(gpa);
    return false;
  }
  const std::vector<uint8_t>& item = Current();
  const size_t there = offset_ < item.size()
                           ? std::min<size_t>(length, item.size() - offset_)
                           : 0;
  if (there != 0) memcpy(out.data(), item.data() + offset_, there);
  memset(out.data() + there, 0, length - there);  // As QEMU does.
  offset_ += length;
  return true;
}

}  // namespace machine
