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
#include <optional>
#include <string>
#include <utility>

#include "machine/port_bus.h"

namespace machine {

inline constexpr uint16_t kCom1 = 0x3F8;

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

// The configuration space of QEMU's q35, by the ports of PCI mechanism 1: two
// functions, of which only the registers are kept that firmware sets before
// anybody can use ACPI. Nothing has run before an SNP image.
//
// Spec: Intel ICH9 data sheet (316972), 13.1 (LPC, 0:1f.0); Intel 3 Series data
// sheet (316966), 5.1 (host bridge, 0:0.0; PAM0 to PAM6 at 90h).
class PciConfiguration final : public PortDevice {
 public:
  static constexpr uint16_t kBase = 0xCF8;
  static constexpr uint16_t kPorts = 8;

  uint32_t Read(uint16_t offset, unsigned size) override;
  void Write(uint16_t offset, unsigned size, uint32_t value) override;
  Cause CauseOf(uint16_t, bool, uint32_t) override { return Cause::kOtherPort; }

  // Whether RAM is behind all of [gpa, gpa + size) as far as the ISA hole goes:
  // never at the video memory, above it where the PAM registers say so.
  bool ShowsRam(uint64_t gpa, uint64_t size) const;
  // Where power management registers are; empty: they are not decoded.
  std::optional<uint16_t> power_management_base() const;

 private:
  using Function = std::array<uint8_t, 256>;
  Function* Selected();

  uint32_t address_ = 0;
  Function host_bridge_{0x86, 0x80, 0xC0, 0x29};
  Function lpc_{0x86, 0x80, 0x18, 0x29};
};

// PM1a_CNT: SLP_EN with any sleep type switches off. PM_TMR: the timer of
// 3.58 MHz that firmware waits by, 24 bits. ACPI 6.4, 4.8.3.2.1 and 4.8.3.3.
class PowerButton final : public PortDevice {
 public:
  // `pci` outlives it. `ticks` of the timer: may be null, then it is not there.
  PowerButton(const PciConfiguration& pci, std::function<void()> off,
              std::function<uint64_t()> ticks = nullptr)
      : pci_(pci), off_(std::move(off)), ticks_(std::move(ticks)) {}

  // All ports that PMBASE can name: it decodes them itself.
  uint32_t Read(uint16_t port, unsigned size) override;
  void Write(uint16_t port, unsigned size, uint32_t value) override;
  Cause CauseOf(uint16_t, bool, uint32_t) override { return Cause::kOtherPort; }

 private:
  const PciConfiguration& pci_;
  std::function<void()> off_;
  std::function<uint64_t()> ticks_;
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

// The registers of one local APIC, in memory at kBase: they keep what is
// written and no interrupt ever comes. Enough for a kernel to ask who it is.
//
// Spec: AMD 24593 (APM volume 2), 16.3.2, "APIC Registers".
class LocalApic {
 public:
  static constexpr uint64_t kBase = 0xFEE00000, kSize = 4096;

  uint32_t Read(uint64_t offset) const;
  void Write(uint64_t offset, uint32_t value);

 private:
  std::array<uint32_t, kSize / 16> registers_{};
};

}  // namespace machine
