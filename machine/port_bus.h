// SPDX-License-Identifier: Apache-2.0
//
// I/O ports and the devices behind them.
#pragma once

#include <stdint.h>

#include <vector>

#include "machine/cause.h"

namespace machine {

class PortDevice {
 public:
  virtual ~PortDevice() = default;
  // `offset` from the first of the device's ports, `size` in bytes: 1, 2, 4.
  virtual uint32_t Read(uint16_t offset, unsigned size) = 0;
  virtual void Write(uint16_t offset, unsigned size, uint32_t value) = 0;
  // What an access means, asked before it happens.
  virtual Cause CauseOf(uint16_t offset, bool write, uint32_t value) = 0;
};

// A port without a device reads all ones and ignores what is written.
class PortBus {
 public:
  // `device` outlives the bus. The first that was added for a port has it.
  void Add(uint16_t first, uint16_t count, PortDevice& device) {
    entries_.push_back({first, count, &device});
  }

  uint32_t Read(uint16_t port, unsigned size) const {
    const Entry* const entry = Find(port);
    return entry == nullptr
               ? ~uint32_t{0}
               : entry->device->Read(static_cast<uint16_t>(port - entry->first),
                                     size);
  }
  void Write(uint16_t port, unsigned size, uint32_t value) const {
    const Entry* const entry = Find(port);
    if (entry == nullptr) return;
    entry->device->Write(static_cast<uint16_t>(port - entry->first), size,
                         value);
  }
  Cause CauseOf(uint16_t port, bool write, uint32_t value) const {
    const Entry* const entry = Find(port);
    return entry == nullptr
               ? Cause::kOtherPort
               : entry->device->CauseOf(
                     static_cast<uint16_t>(port - entry->first), write, value);
  }

 private:
  struct Entry {
    uint16_t first, count;
    PortDevice* device;
  };
  const Entry* Find(uint16_t port) const {
    for (const Entry& entry : entries_) {
      if (port >= entry.first && port - entry.first < entry.count) {
        return &entry;
      }
    }
    return nullptr;
  }

  std::vector<Entry> entries_;
};

}  // namespace machine
