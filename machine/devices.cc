// SPDX-License-Identifier: Apache-2.0
#include "machine/devices.h"

#include <algorithm>

#include "proxy/registration.h"

namespace machine {
namespace {

// Registers and bits of the 16550.
constexpr uint16_t kData = 0, kInterruptId = 2, kLineControl = 3,
                   kLineStatus = 5;
constexpr uint8_t kDivisorLatch = 0x80;
constexpr uint8_t kNoInterruptFifosOn = 0xC1;
constexpr uint8_t kHoldingAndShiftEmpty = 0x60;

constexpr uint16_t kPm1aControl = 4;  // From PMBASE.
constexpr uint16_t kPmTimer = 8;
constexpr uint32_t kSleepEnable = 1 << 13;
constexpr uint64_t kPmTimerMask = 0xFFFFFF;

// docs/channel.md: a doorbell is 'D', a record begins with 'F'.
constexpr uint8_t kDoorbellByte = 'D';
constexpr uint8_t kRecordStart = 'F';

}  // namespace

uint32_t Uart16550::Read(uint16_t offset, unsigned size) {
  if (size != 1) return ~uint32_t{0};
  switch (offset) {
    case kData:
      return (registers_[kLineControl] & kDivisorLatch) ? registers_[kData] : 0;
    case kInterruptId:
      return kNoInterruptFifosOn;
    case kLineStatus:
      return kHoldingAndShiftEmpty;
    default:
      return registers_[offset];
  }
}

void Uart16550::Write(uint16_t offset, unsigned size, uint32_t value) {
  if (size != 1) return;
  if (offset == kData && !(registers_[kLineControl] & kDivisorLatch)) {
    sink_(static_cast<char>(value));
    return;
  }
  registers_[offset] = static_cast<uint8_t>(value);
}

void DebugConsole::Write(uint16_t, unsigned, uint32_t value) {
  const auto byte = static_cast<uint8_t>(value);
  if (left_of_record_ > 0) {
    --left_of_record_;
  } else if (byte == kRecordStart) {
    left_of_record_ = proxy::kRegistrationSize - 1;
  }
  sink_(byte);
}

Cause DebugConsole::CauseOf(uint16_t, bool write, uint32_t value) {
  if (!write) return Cause::kReadBack;
  const auto byte = static_cast<uint8_t>(value);
  if (left_of_record_ > 0 || byte == kRecordStart) {
    return Cause::kChannelRegistration;
  }
  return byte == kDoorbellByte ? Cause::kDoorbell : Cause::kOtherPort;
}

PciConfiguration::Function* PciConfiguration::Selected() {
  constexpr uint32_t kEnable = uint32_t{1} << 31;
  switch (address_ & ~uint32_t{0xFF}) {
    case kEnable:
      return &host_bridge_;
    case kEnable | 0x1F << 11:
      return &lpc_;
    default:
      return nullptr;
  }
}

uint32_t PciConfiguration::Read(uint16_t offset, unsigned size) {
  if (offset < 4) return size == 4 ? address_ : ~uint32_t{0};
  const Function* const function = Selected();
  if (function == nullptr) return ~uint32_t{0};
  uint32_t value = 0;
  for (unsigned i = 0; i < size; ++i) {
    value |= uint32_t{(*function)[((address_ & 0xFC) + offset - 4 + i) & 0xFF]}
             << (8 * i);
  }
  return value;
}

void PciConfiguration::Write(uint16_t offset, unsigned size, uint32_t value) {
  if (offset < 4) {
    if (size == 4) address_ = value & ~uint32_t{3};
    return;
  }
  Function* const function = Selected();
  if (function == nullptr) return;
  for (unsigned i = 0; i < size; ++i) {
    const uint32_t at = ((address_ & 0xFC) + offset - 4 + i) & 0xFF;
    if (at >= 4) (*function)[at] = static_cast<uint8_t>(value >> (8 * i));
  }
}

std::optional<uint16_t> PciConfiguration::power_management_base() const {
  constexpr size_t kPmBase = 0x40, kAcpiControl = 0x44;
  constexpr uint8_t kAcpiEnable = 0x80;
  if ((lpc_[kAcpiControl] & kAcpiEnable) == 0) return {};
  const auto base =
      static_cast<uint16_t>((lpc_[kPmBase] | lpc_[kPmBase + 1] << 8) & 0xFF80);
  if (base == 0) return {};
  return base;
}

bool PciConfiguration::ShowsRam(uint64_t gpa, uint64_t size) const {
  constexpr uint64_t kVideo = 0xA0000, kFirstPam = 0xC0000, kLastPam = 0xF0000,
                     kEnd = 0x100000, kSegment = 0x4000;
  constexpr size_t kPam0 = 0x90;
  constexpr unsigned kReadAndWrite = 3;
  if (gpa + size <= kVideo || gpa >= kEnd) return true;
  if (gpa < kFirstPam) return false;
  for (uint64_t at = gpa; at < std::min(gpa + size, kEnd); at += 0x1000) {
    // PAM0's high half is for the last 64 KiB; PAM1's low half for the first
    // 16 KiB, and so on.
    const uint64_t half = at >= kLastPam ? 1 : 2 + (at - kFirstPam) / kSegment;
    const unsigned pam = host_bridge_[kPam0 + half / 2] >> (half % 2 * 4);
    if ((pam & kReadAndWrite) != kReadAndWrite) return false;
  }
  return true;
}

uint32_t PowerButton::Read(uint16_t port, unsigned size) {
  const auto base = pci_.power_management_base();
  if (!ticks_ || !base.has_value() || port != *base + kPmTimer || size != 4) {
    return ~uint32_t{0};
  }
  return static_cast<uint32_t>(ticks_() & kPmTimerMask);
}

void PowerButton::Write(uint16_t port, unsigned size, uint32_t value) {
  const auto base = pci_.power_management_base();
  if (base.has_value() && port == *base + kPm1aControl && size == 2 &&
      (value & kSleepEnable) != 0) {
    off_();
  }
}

uint32_t LocalApic::Read(uint64_t offset) const {
  constexpr uint64_t kId = 0x20, kVersion = 0x30;
  constexpr uint32_t kSixLvtsVersion14h = 0x00050014;
  if (offset == kId) return 0;
  if (offset == kVersion) return kSixLvtsVersion14h;
  return offset < kSize ? registers_[offset / 16] : ~uint32_t{0};
}

void LocalApic::Write(uint64_t offset, uint32_t value) {
  constexpr uint64_t kCommandLow = 0x300;
  constexpr uint32_t kDeliveryPending = 1 << 12;
  if (offset >= kSize) return;
  registers_[offset / 16] =
      offset == kCommandLow ? value & ~kDeliveryPending : value;
}

}  // namespace machine
