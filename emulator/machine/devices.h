// SPDX-License-Identifier: Apache-2.0
//
// The small devices of the machine: a 16550 for output, isa-debugcon, the power
// management register that switches it off, and interrupt controllers that
// remember their masks.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <functional>
#include <string>
#include <utility>

#include "emulator/machine/port_bus.h"

namespace emulator::machine {

inline constexpr uint16_t kCom1 = 0x3F8;
inline constexpr uint16_t kProxyPort = 0x5F0;
inline constexpr uint8_t kProxyReadBack = 0x53;

// Spec: PC16550D data sheet, section 8. Sends at once, receives nothing.
class Uart16550 final : public PortDevice {
 public:
  static constexpr uint16_t kPorts = 8;
  explicit Uart16550(std::function<void(char)> sink) : sink_(std::move(sink)) {}

  uint32_t Read(uint16_t offset, unsigned size) override;
  void Write(uint16_t offset, unsigned size, uint32_t value) override;
  Cause CauseOf(uint16_t, bool, uint32_t) override { return Cause::kConsole; }

 private:
  std::function<void(char)> sink_;
  std::array<uint8_t, kPorts> registers_{};
};

// QEMU's isa-debugcon: what is written goes to whoever listens, what is read
// says that the device is there.
class DebugConsole final : public PortDevice {
 public:
  DebugConsole(uint8_t read_back, std::function<void(uint8_t)> sink)
      : read_back_(read_back), sink_(std::move(sink)) {}

  uint32_t Read(uint16_t, unsigned) override { return read_back_; }
  void Write(uint16_t, unsigned, uint32_t value) override;
  // A doorbell, or part of a registration record (docs/channel.md).
  Cause CauseOf(uint16_t, bool write, uint32_t value) override;

 private:
  const uint8_t read_back_;
  std::function<void(uint8_t)> sink_;
  size_t left_of_record_ = 0;
};

// PM1a_CNT: SLP_EN with any sleep type switches off. ACPI 6.4, 4.8.3.2.1.
class PowerButton final : public PortDevice {
 public:
  static constexpr uint16_t kPm1aControl = 0x604;  // QEMU's q35
  explicit PowerButton(std::function<void()> off) : off_(std::move(off)) {}

  uint32_t Read(uint16_t, unsigned) override { return 0; }
  void Write(uint16_t offset, unsigned size, uint32_t value) override;
  Cause CauseOf(uint16_t, bool, uint32_t) override { return Cause::kOtherPort; }

 private:
  std::function<void()> off_;
};

// One 8259A as far as a guest that wants no interrupts needs it.
class InterruptController final : public PortDevice {
 public:
  static constexpr uint16_t kPorts = 2;
  uint32_t Read(uint16_t offset, unsigned) override {
    return offset == 1 ? mask_ : 0;
  }
  void Write(uint16_t offset, unsigned, uint32_t value) override {
    if (offset == 1) mask_ = static_cast<uint8_t>(value);
  }
  Cause CauseOf(uint16_t, bool, uint32_t) override { return Cause::kOtherPort; }
  uint8_t mask() const { return mask_; }

 private:
  uint8_t mask_ = 0;
};

}  // namespace emulator::machine
