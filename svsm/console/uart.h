// SPDX-License-Identifier: Apache-2.0
//
// A 16550 for output. Never hangs: a device that is not there, or a host that
// does not drain it, costs a bounded number of polls a byte, and after the
// first byte that could not be sent only a few for each further one; all bytes
// of a boot together have kPollsPerBoot. Then, and when time is up, what cannot
// be sent at once is lost: a console is a courtesy.
//
// Spec: [ns16550] PC16550D data sheet, section 8 (register numbers as there).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <string_view>

namespace svsm {

// Io: uint8_t In8(uint16_t port), void Out8(uint16_t port, uint8_t),
// void Pause(), bool Late(): time is up. The guest's is in console.cc, tests
// have a fake.
template <typename Io>
class Uart {
 public:
  static constexpr uint32_t kPatientPolls = 1'000'000;
  static constexpr uint32_t kImpatientPolls = 64;
  // A poll is an exit. Those that a device cannot help are few: a host that
  // answers each byte after thousands spends its own console.
  static constexpr uint32_t kPollsPerBoot = 16'000'000;
  static constexpr uint32_t kPollsToALookAtTheTime = 1024;

  constexpr Uart(Io io, uint16_t base) : io_(io), base_(base) {}

  void Init() {
    Write(kInterruptEnable, 0x00);
    Write(kLineControl, kDivisorLatch | kEightBitsNoParity);
    Write(kDivisorLow, 1);  // 115200 baud
    Write(kDivisorHigh, 0);
    Write(kLineControl, kEightBitsNoParity);
    Write(kFifoControl, 0x07);   // On, both cleared.
    Write(kModemControl, 0x03);  // DTR, RTS
  }

  // "\n" becomes "\r\n".
  void Print(std::string_view text) {
    for (const char c : text) {
      if (c == '\n') PutByte('\r');
      PutByte(static_cast<uint8_t>(c));
    }
  }

  // Waits, boundedly, until the last byte has left.
  void Flush() { WaitFor(kTransmitterIdle); }

 private:
  static constexpr uint16_t kData = 0;
  static constexpr uint16_t kDivisorLow = 0;
  static constexpr uint16_t kInterruptEnable = 1;
  static constexpr uint16_t kDivisorHigh = 1;
  static constexpr uint16_t kFifoControl = 2;
  static constexpr uint16_t kLineControl = 3;
  static constexpr uint16_t kModemControl = 4;
  static constexpr uint16_t kLineStatus = 5;
  static constexpr uint8_t kEightBitsNoParity = 0x03;
  static constexpr uint8_t kDivisorLatch = 0x80;
  static constexpr uint8_t kHoldingEmpty = 0x20;
  static constexpr uint8_t kTransmitterIdle = 0x40;

  void Write(uint16_t reg, uint8_t value) {
    io_.Out8(static_cast<uint16_t>(base_ + reg), value);
  }

  void PutByte(uint8_t byte) {
    if (WaitFor(kHoldingEmpty)) Write(kData, byte);
  }

  bool WaitFor(uint8_t bit) {
    const uint32_t polls = stuck_ ? kImpatientPolls : kPatientPolls;
    for (uint32_t i = 0; i < polls; ++i) {
      if (io_.In8(static_cast<uint16_t>(base_ + kLineStatus)) & bit) {
        stuck_ = false;
        return true;
      }
      if (polls_left_ == 0) break;
      --polls_left_;
      // Says nothing of the device: a last word may still be allowed.
      if (i % kPollsToALookAtTheTime == 0 && io_.Late()) return false;
      io_.Pause();
    }
    stuck_ = true;
    return false;
  }

  [[no_unique_address]] Io io_;
  uint16_t base_;
  bool stuck_ = false;
  uint32_t polls_left_ = kPollsPerBoot;
};

}  // namespace svsm
