// SPDX-License-Identifier: Apache-2.0
#include "emulator/machine/devices.h"

#include "proxy/registration.h"

namespace emulator::machine {
namespace {

// Registers and bits of the 16550.
constexpr uint16_t kData = 0, kInterruptId = 2, kLineControl = 3,
                   kLineStatus = 5;
constexpr uint8_t kDivisorLatch = 0x80;
constexpr uint8_t kNoInterruptFifosOn = 0xC1;
constexpr uint8_t kHoldingAndShiftEmpty = 0x60;

constexpr uint32_t kSleepEnable = 1 << 13;

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

void PowerButton::Write(uint16_t offset, unsigned size, uint32_t value) {
  if (offset == 0 && size == 2 && (value & kSleepEnable) != 0) off_();
}

}  // namespace emulator::machine
