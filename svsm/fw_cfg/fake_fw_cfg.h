// SPDX-License-Identifier: Apache-2.0
//
// FakeFwCfg: the device, for host tests. Serves any directory, honest or not.
#pragma once

#include <stdint.h>
#include <string.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "svsm/fw_cfg/fw_cfg.h"
#include "svsm/linux/reasons.h"

namespace svsm {

class FakeFwCfg final : public FwCfgIo {
 public:
  using Blob = std::vector<uint8_t>;

  explicit FakeFwCfg(size_t bounce_size = 0) : bounce_(bounce_size) {
    items_[0x00] = {'Q', 'E', 'M', 'U'};
    items_[0x01] = {3, 0, 0, 0};
    items_[0x19] = {0, 0, 0, 0};
  }

  void AddFile(std::string_view name, Blob content) {
    Blob field(name.begin(), name.end());
    field.resize(56);
    const uint32_t size = static_cast<uint32_t>(content.size());
    AddRaw(size, std::move(field), std::move(content));
  }
  void AddFile(std::string_view name, std::string_view content) {
    AddFile(name, Blob(content.begin(), content.end()));
  }
  // A directory entry that need not agree with itself.
  void AddRaw(uint32_t size, Blob name_field, Blob content) {
    Blob& directory = items_[0x19];
    const uint16_t selector = next_++;
    const Blob head = {uint8_t(size >> 24),
                       uint8_t(size >> 16),
                       uint8_t(size >> 8),
                       uint8_t(size),
                       uint8_t(selector >> 8),
                       uint8_t(selector),
                       0,
                       0};
    directory.insert(directory.end(), head.begin(), head.end());
    directory.insert(directory.end(), name_field.begin(), name_field.end());
    SetCount(++count_);
    items_[selector] = std::move(content);
  }
  void SetCount(uint32_t count) {
    for (size_t i = 0; i < 4; ++i) {
      items_[0x19][i] = static_cast<uint8_t>(count >> (24 - 8 * i));
    }
  }
  Blob& item(uint16_t selector) { return items_[selector]; }

  base::Status Transfer(uint32_t control, base::MutableBytes buffer) override {
    ++transfers;
    if (before_transfer) {
      const base::Status status = before_transfer(transfers);
      if (!status.ok()) return status;
    }
    if (!bounce_.empty() &&
        (buffer.data() < bounce_.data() ||
         buffer.data() + buffer.size() > bounce_.data() + bounce_.size())) {
      return base::Status(base::Code::kUnavailable, kFwCfgError);
    }
    if (control & kSelect) {
      current_ = static_cast<uint16_t>(control >> 16);
      offset_ = 0;
    }
    // As QEMU does: zeros behind the end.
    const Blob& content = items_[current_];
    for (uint8_t& byte : buffer) {
      byte = offset_ < content.size() ? content[offset_] : 0;
      ++offset_;
    }
    return {};
  }
  base::MutableBytes bounce() override { return bounce_; }

  int transfers = 0;
  std::function<base::Status(int)> before_transfer;

 private:
  std::map<uint16_t, Blob> items_;
  std::vector<uint8_t> bounce_;
  uint32_t count_ = 0;
  uint16_t next_ = 0x20;
  uint16_t current_ = 0;
  size_t offset_ = 0;
};

}  // namespace svsm
