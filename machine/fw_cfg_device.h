// SPDX-License-Identifier: Apache-2.0
//
// QEMU's fw_cfg with its DMA interface, on shared memory only: a transfer that
// names private memory is a mistake of the guest, and is reported.
//
// Spec: QEMU docs/specs/fw_cfg.rst.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "machine/host_view.h"
#include "machine/port_bus.h"

namespace machine {

class FwCfgDevice final : public PortDevice {
 public:
  static constexpr uint16_t kBase = 0x510;
  static constexpr uint16_t kPorts = 12;
  static constexpr size_t kMaxName = 56;  // With its NUL.

  // `memory` outlives it. `on_private(gpa)`: the guest let it touch memory that
  // is not shared.
  FwCfgDevice(HostView& memory, std::function<void(uint64_t gpa)> on_private);

  // Before the guest starts. A name that is there already gets other contents.
  void AddFile(std::string_view name, std::vector<uint8_t> contents);

  // Told the name of each file that is selected: QEMU makes some of them then.
  void set_on_select(std::function<void(std::string_view)> on_select) {
    on_select_ = std::move(on_select);
  }

  uint32_t Read(uint16_t offset, unsigned size) override;
  void Write(uint16_t offset, unsigned size, uint32_t value) override;
  Cause CauseOf(uint16_t, bool, uint32_t) override { return Cause::kFwCfg; }

 private:
  void Select(uint16_t selector);
  void RunDma(uint64_t access_gpa);
  // Moves `length` bytes of the current item. False: not to shared memory.
  bool Transfer(uint64_t gpa, uint32_t length);
  const std::vector<uint8_t>& Current();
  void MakeDirectory();

  HostView& memory_;
  std::function<void(uint64_t)> on_private_;
  std::function<void(std::string_view)> on_select_;
  std::map<std::string, std::vector<uint8_t>, std::less<>> files_;
  std::map<uint16_t, std::vector<uint8_t>> items_;
  std::map<uint16_t, std::string> names_;
  bool directory_made_ = false;
  uint16_t selector_ = 0;
  uint64_t offset_ = 0;
  uint32_t dma_high_ = 0;
};

}  // namespace machine
