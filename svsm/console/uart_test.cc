// SPDX-License-Identifier: Apache-2.0
#include "svsm/console/uart.h"

#include <stdint.h>

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace svsm {
namespace {

struct Device {
  std::vector<std::pair<uint16_t, uint8_t>> writes;
  uint8_t line_status = 0x60;
  uint64_t reads = 0;
  uint64_t ready_after = 0;  // polls of each byte
  uint64_t late_after = UINT64_MAX;
};

struct FakeIo {
  Device* device;
  uint8_t In8(uint16_t port) {
    EXPECT_EQ(port, 0x3FD);
    ++device->reads;
    if (device->ready_after == 0) return device->line_status;
    return ++polls < device->ready_after ? 0 : 0x60;
  }
  void Out8(uint16_t port, uint8_t value) {
    polls = 0;
    device->writes.emplace_back(port, value);
  }
  void Pause() {}
  bool Late() { return device->reads >= device->late_after; }
  uint64_t polls = 0;
};

TEST(UartTest, InitSetsTheDivisorOnlyUnderItsLatch) {
  Device device;
  Uart<FakeIo>(FakeIo{&device}, 0x3F8).Init();
  const std::vector<std::pair<uint16_t, uint8_t>> expected = {
      {0x3F9, 0x00},                 // no interrupts
      {0x3FB, 0x83},                 // divisor latch, 8n1
      {0x3F8, 0x01},                 // 115200
      {0x3F9, 0x00}, {0x3FB, 0x03},  // latch off
      {0x3FA, 0x07},                 // FIFOs
      {0x3FC, 0x03},                 // DTR, RTS
  };
  EXPECT_EQ(device.writes, expected);
}

TEST(UartTest, PrintsWithCarriageReturns) {
  Device device;
  Uart<FakeIo>(FakeIo{&device}, 0x3F8).Print("a\nb");
  std::string sent;
  for (const auto& [port, value] : device.writes) {
    EXPECT_EQ(port, 0x3F8);
    sent.push_back(static_cast<char>(value));
  }
  EXPECT_EQ(sent, "a\r\nb");
}

TEST(UartTest, AStuckDeviceCostsPatienceOnce) {
  Device device;
  device.line_status = 0;
  Uart<FakeIo> uart(FakeIo{&device}, 0x3F8);
  uart.Print(std::string(1000, 'x'));
  EXPECT_TRUE(device.writes.empty());
  EXPECT_EQ(device.reads,
            Uart<FakeIo>::kPatientPolls + 999 * Uart<FakeIo>::kImpatientPolls);
  device.line_status = 0x60;
  uart.Print("y");
  EXPECT_EQ(device.writes.size(), 1u);
}

// It answers each byte just before patience ends, so that it is never stuck.
TEST(UartTest, ASlowDeviceCostsNoMoreThanTheBootsPolls) {
  Device device;
  device.ready_after = Uart<FakeIo>::kPatientPolls;
  Uart<FakeIo> uart(FakeIo{&device}, 0x3F8);
  uart.Print(std::string(1000, 'x'));
  EXPECT_LE(device.reads, Uart<FakeIo>::kPollsPerBoot + 1000u);
  EXPECT_EQ(device.writes.size(),
            Uart<FakeIo>::kPollsPerBoot / (device.ready_after - 1));
  // What can be sent at once still is.
  device.ready_after = 0;
  const size_t before = device.writes.size();
  uart.Print("failed");
  EXPECT_EQ(device.writes.size(), before + 6);
}

TEST(UartTest, NothingIsWaitedForWhenTimeIsUp) {
  Device device;
  device.ready_after = Uart<FakeIo>::kPatientPolls;
  device.late_after = 10'000;
  Uart<FakeIo> uart(FakeIo{&device}, 0x3F8);
  uart.Print(std::string(1000, 'x'));
  EXPECT_LE(device.reads,
            10'000u + Uart<FakeIo>::kPollsToALookAtTheTime + 1000u);
}

TEST(UartTest, ALastWordFindsTheDeviceAsPatientAsBefore) {
  Device device;
  device.ready_after = Uart<FakeIo>::kImpatientPolls * 4;
  Uart<FakeIo> uart(FakeIo{&device}, 0x3F8);
  device.late_after = 0;
  uart.Print("lost");
  EXPECT_TRUE(device.writes.empty());
  device.late_after = UINT64_MAX;
  uart.Print("failed");
  EXPECT_EQ(device.writes.size(), 6u);
}

}  // namespace
}  // namespace svsm
