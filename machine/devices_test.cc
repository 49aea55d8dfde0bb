// SPDX-License-Identifier: Apache-2.0
#include "machine/devices.h"

#include <string.h>

#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "machine/fake_host_view.h"
#include "machine/fw_cfg_device.h"
#include "machine/port_bus.h"
#include "proxy/registration.h"

namespace machine {
namespace {

TEST(PortBus, AnAbsentDeviceReadsAllOnes) {
  PortBus bus;
  InterruptController pic;
  bus.Add(0x20, InterruptController::kPorts, pic);
  EXPECT_EQ(bus.Read(0x1F, 1), 0xFFFFFFFF);
  EXPECT_EQ(bus.Read(0x22, 1), 0xFFFFFFFF);
  bus.Write(0x22, 1, 5);
  bus.Write(0x21, 1, 0xFB);
  EXPECT_EQ(bus.Read(0x21, 1), 0xFBu);
  EXPECT_EQ(bus.CauseOf(0x80, true, 0), Cause::kOtherPort);
}

TEST(Uart, SendsWhatIsWrittenToItsDataRegister) {
  std::string text;
  Uart16550 uart([&](char c) { text.push_back(c); });
  uart.Write(3, 1, 0x83);  // Divisor latch.
  uart.Write(0, 1, 1);
  uart.Write(3, 1, 0x03);
  uart.Write(0, 1, 'o');
  EXPECT_EQ(uart.Read(5, 1) & 0x60u, 0x60u);
  uart.Write(0, 1, 'k');
  EXPECT_EQ(text, "ok");
}

TEST(DebugConsole, TellsDoorbellsFromRegistrations) {
  std::vector<uint8_t> sent;
  DebugConsole port(0x53, [&](uint8_t byte) { sent.push_back(byte); });
  EXPECT_EQ(port.CauseOf(0, false, 0), Cause::kReadBack);
  EXPECT_EQ(port.Read(0, 1), 0x53u);
  // A 'D' inside a record is no doorbell.
  const proxy::RegistrationRecord record = proxy::EncodeRegistration(
      {.gpa = 0x44444000, .length = 4096, .session = 1});
  for (const uint8_t byte : record) {
    EXPECT_EQ(port.CauseOf(0, true, byte), Cause::kChannelRegistration);
    port.Write(0, 1, byte);
  }
  EXPECT_EQ(port.CauseOf(0, true, 'D'), Cause::kDoorbell);
  port.Write(0, 1, 'D');
  EXPECT_EQ(port.CauseOf(0, true, 'x'), Cause::kOtherPort);
  EXPECT_EQ(sent.size(), record.size() + 1);
}

TEST(PowerButton, WantsAChipsetThatIsSetUpAndSleepEnable) {
  int off = 0;
  PciConfiguration pci;
  PowerButton button(pci, [&] { ++off; });
  const auto configure = [&](uint32_t address, uint32_t value) {
    pci.Write(0, 4, address);
    pci.Write(4, 4, value);
  };
  button.Write(0x604, 2, 0x2000);
  configure(0x8000F840, 0x601);
  button.Write(0x604, 2, 0x2000);
  EXPECT_EQ(off, 0);
  EXPECT_FALSE(pci.power_management_base().has_value());
  configure(0x8000F844, 0x80);
  EXPECT_EQ(pci.power_management_base(), 0x600);
  button.Write(0x604, 2, 0x0001);
  button.Write(0x604, 1, 0x20);
  button.Write(0x704, 2, 0x2000);
  EXPECT_EQ(off, 0);
  button.Write(0x604, 2, 0x2000);
  EXPECT_EQ(off, 1);
}

TEST(PowerButton, HasATimerOfTwentyFourBits) {
  PciConfiguration pci;
  uint64_t ticks = 0x1234567;
  PowerButton button(pci, [] {}, [&] { return ticks; });
  EXPECT_EQ(button.Read(0x608, 4), 0xFFFFFFFFu);  // not decoded yet
  pci.Write(0, 4, 0x8000F840);
  pci.Write(4, 4, 0x601);
  pci.Write(0, 4, 0x8000F844);
  pci.Write(4, 4, 0x80);
  EXPECT_EQ(button.Read(0x608, 4), 0x234567u);
  ++ticks;
  EXPECT_EQ(button.Read(0x608, 4), 0x234568u);
  EXPECT_EQ(button.Read(0x608, 2), 0xFFFFFFFFu);
  EXPECT_EQ(button.Read(0x60C, 4), 0xFFFFFFFFu);
  PowerButton without(pci, [] {});
  EXPECT_EQ(without.Read(0x608, 4), 0xFFFFFFFFu);
}

TEST(PciConfiguration, HasTwoFunctions) {
  PciConfiguration pci;
  pci.Write(0, 4, 0x80000000);
  EXPECT_EQ(pci.Read(4, 4), 0x29C08086u);
  EXPECT_EQ(pci.Read(6, 2), 0x29C0u);
  pci.Write(4, 4, 0);  // Read-only.
  EXPECT_EQ(pci.Read(4, 2), 0x8086u);
  pci.Write(0, 4, 0x80001000);
  EXPECT_EQ(pci.Read(4, 4), 0xFFFFFFFFu);
  pci.Write(0, 4, 0x0000F840);  // Not enabled.
  EXPECT_EQ(pci.Read(4, 4), 0xFFFFFFFFu);
}

TEST(PciConfiguration, ShadowsRamWherePamSays) {
  PciConfiguration pci;
  EXPECT_TRUE(pci.ShowsRam(0, 0xA0000));
  EXPECT_TRUE(pci.ShowsRam(0x100000, 0x100000));
  EXPECT_FALSE(pci.ShowsRam(0x9F000, 0x2000));
  EXPECT_FALSE(pci.ShowsRam(0xC0000, 0x1000));
  EXPECT_FALSE(pci.ShowsRam(0, 0x200000));
  pci.Write(0, 4, 0x80000090);
  pci.Write(4, 4, 0x00000330);  // PAM0, PAM1.
  EXPECT_TRUE(pci.ShowsRam(0xF0000, 0x10000));
  EXPECT_TRUE(pci.ShowsRam(0xC0000, 0x4000));
  EXPECT_FALSE(pci.ShowsRam(0xC4000, 0x1000));
  pci.Write(4, 4, 0x33333330);
  pci.Write(0, 4, 0x80000094);
  pci.Write(4, 4, 0x00333333);
  EXPECT_TRUE(pci.ShowsRam(0xC0000, 0x40000));
  EXPECT_FALSE(pci.ShowsRam(0xB0000, 0x20000));
}

// --- fw_cfg.

class FwCfgTest : public testing::Test {
 protected:
  static constexpr uint64_t kAccess = 0x1000, kBuffer = 0x2000;

  FwCfgTest() : device_(memory_, [this](uint64_t gpa) { private_at_ = gpa; }) {
    device_.set_on_select(
        [this](std::string_view name) { selected_.emplace_back(name); });
  }

  // One DMA operation; returns the control field afterwards.
  uint32_t Dma(uint32_t control, uint32_t length, uint64_t gpa) {
    const auto access = memory_.Shared(kAccess, 16).first<16>();
    base::StoreBe<uint32_t>(control, access.subspan<0, 4>());
    base::StoreBe<uint32_t>(length, access.subspan<4, 4>());
    base::StoreBe<uint64_t>(gpa, access.subspan<8, 8>());
    device_.Write(4, 4, 0);
    device_.Write(8, 4, __builtin_bswap32(kAccess));
    return base::LoadBe<uint32_t>(
        std::span<const uint8_t, 4>(access.first<4>()));
  }
  std::string Text(uint64_t gpa, size_t size) {
    const base::MutableBytes bytes = memory_.Shared(gpa, size);
    return {bytes.begin(), bytes.end()};
  }

  FakeHostView memory_{1 << 20};
  uint64_t private_at_ = 0;
  std::vector<std::string> selected_;
  FwCfgDevice device_;
};

constexpr uint32_t kRead = 2, kSkip = 4, kSelect = 8, kWrite = 16;

TEST_F(FwCfgTest, ServesSignatureAndFiles) {
  device_.AddFile("opt/b", {'b', 'b', 'b'});
  device_.AddFile("opt/a", {'a', 'A'});
  EXPECT_EQ(Dma(0x0000 << 16 | kSelect | kRead, 4, kBuffer), 0u);
  EXPECT_EQ(Text(kBuffer, 4), "QEMU");
  EXPECT_EQ(Dma(0x0019 << 16 | kSelect | kRead, 4 + 2 * 64, kBuffer), 0u);
  EXPECT_EQ(Text(kBuffer, 4), std::string("\0\0\0\2", 4));
  // Sorted by name.
  EXPECT_STREQ(Text(kBuffer + 4 + 8, 56).c_str(), "opt/a");
  EXPECT_STREQ(Text(kBuffer + 4 + 64 + 8, 56).c_str(), "opt/b");
  EXPECT_EQ(Dma(0x0021 << 16 | kSelect | kRead, 2, kBuffer), 0u);
  EXPECT_EQ(Text(kBuffer, 2), "bb");
  EXPECT_EQ(Dma(kRead, 3, kBuffer), 0u);  // Zeros behind the end.
  EXPECT_EQ(Text(kBuffer, 3), std::string("b\0\0", 3));
  EXPECT_EQ(selected_, std::vector<std::string>{"opt/b"});
}

TEST_F(FwCfgTest, SkipsAndRefusesWrites) {
  device_.AddFile("f", {1, 2, 3});
  EXPECT_EQ(Dma(0x0020 << 16 | kSelect | kSkip, 2, 0), 0u);
  EXPECT_EQ(Dma(kRead, 1, kBuffer), 0u);
  EXPECT_EQ(Text(kBuffer, 1), "\3");
  EXPECT_EQ(Dma(0x0020 << 16 | kSelect | kWrite, 1, kBuffer), 1u);
}

TEST_F(FwCfgTest, ReportsPrivateMemory) {
  device_.AddFile("f", {1});
  memory_.MakePrivate(kBuffer, kPageSize, false);
  EXPECT_EQ(Dma(0x0020 << 16 | kSelect | kRead, 1, kBuffer), 1u);
  EXPECT_EQ(private_at_, kBuffer);
  memory_.MakePrivate(kAccess, kPageSize, false);
  device_.Write(8, 4, __builtin_bswap32(kAccess));
  EXPECT_EQ(private_at_, kAccess);
}

TEST_F(FwCfgTest, ATransferThatWrapsTouchesNothing) {
  device_.AddFile("f", {1});
  EXPECT_EQ(Dma(0x0020 << 16 | kSelect | kRead, 0xFFFFFFFF, kBuffer), 1u);
  EXPECT_EQ(Dma(0x0020 << 16 | kSelect | kRead, 16, ~uint64_t{7}), 1u);
}

}  // namespace
}  // namespace machine
