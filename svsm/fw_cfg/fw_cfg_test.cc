// SPDX-License-Identifier: Apache-2.0
#include "svsm/fw_cfg/fw_cfg.h"

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "gtest/gtest.h"
#include "svsm/fw_cfg/fake_fw_cfg.h"
#include "svsm/fw_cfg/fw_cfg_dma.h"
#include "svsm/linux/reasons.h"

namespace svsm {
namespace {

using Blob = FakeFwCfg::Blob;

base::Status Open(FakeFwCfg& device) {
  return std::make_unique<FwCfg>(device)->Open();
}

TEST(FwCfg, ReadsAFileInChunks) {
  Blob content(FwCfg::kChunk * 2 + 17);
  for (size_t i = 0; i < content.size(); ++i) {
    content[i] = static_cast<uint8_t>(i * 31 + i / 251);
  }
  for (const size_t bounce : {size_t{0}, size_t{4096}, size_t{1} << 22}) {
    FakeFwCfg device(bounce);
    device.AddFile("etc/e820", "x");
    device.AddFile("opt/file", content);
    auto fw_cfg = std::make_unique<FwCfg>(device);
    ASSERT_TRUE(fw_cfg->Open().ok());
    EXPECT_EQ(fw_cfg->file_count(), 2u);
    auto file = fw_cfg->Find("opt/file");
    ASSERT_TRUE(file.ok());
    Blob read(file->size);
    ASSERT_TRUE(fw_cfg->Read(*file, read).ok());
    EXPECT_EQ(read, content);
    EXPECT_EQ(fw_cfg->Find("opt/fil").status().reason(), kFwCfgNotFound);
    read.resize(5);
    EXPECT_EQ(fw_cfg->Read(*file, read).reason(), kFwCfgSize);
  }
}

TEST(FwCfg, RefusesAnotherDevice) {
  FakeFwCfg other;
  other.item(0)[3] = 'X';
  EXPECT_EQ(Open(other).reason(), kFwCfgAbsent);
  FakeFwCfg old;
  old.item(1)[0] = 1;
  EXPECT_EQ(Open(old).reason(), kFwCfgAbsent);
}

TEST(FwCfg, RefusesAHostileDirectory) {
  for (const uint32_t count : {1025u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
    FakeFwCfg device;
    device.SetCount(count);
    EXPECT_EQ(Open(device).reason(), kFwCfgDirectory);
  }
  FakeFwCfg shorter;  // announces more than it has: names become empty
  shorter.AddFile("a", "b");
  shorter.SetCount(2);
  EXPECT_EQ(Open(shorter).reason(), kFwCfgDirectory);

  FakeFwCfg no_nul;
  no_nul.AddRaw(1, Blob(56, 'a'), {1});
  EXPECT_EQ(Open(no_nul).reason(), kFwCfgDirectory);

  for (const uint8_t bad : {0x00, 0x0A, 0x1B, 0x20, 0x7F, 0x80, 0xFF}) {
    FakeFwCfg device;
    Blob name(56);
    name[0] = bad;
    name[1] = 'a';
    device.AddRaw(1, name, {1});
    EXPECT_EQ(Open(device).reason(), kFwCfgDirectory) << int{bad};
  }

  FakeFwCfg low_selector;
  low_selector.AddFile("a", "b");
  low_selector.item(0x19)[9] = 0x19;
  EXPECT_EQ(Open(low_selector).reason(), kFwCfgDirectory);
}

TEST(FwCfg, RefusesANameTwice) {
  FakeFwCfg device;
  for (int i = 0; i < 40; ++i) device.AddFile("f" + std::to_string(i), "x");
  ASSERT_TRUE(Open(device).ok());
  // Differs only behind the NUL.
  Blob name(56, 'z');
  name[0] = 'f';
  name[1] = '7';
  name[2] = 0;
  device.AddRaw(1, name, {1});
  EXPECT_EQ(Open(device).reason(), kFwCfgDuplicate);
}

TEST(FwCfg, TakesAFullDirectory) {
  FakeFwCfg device(4096);
  for (size_t i = 0; i < FwCfg::kMaxFiles; ++i) {
    device.AddFile("f" + std::to_string(i), "x");
  }
  auto fw_cfg = std::make_unique<FwCfg>(device);
  ASSERT_TRUE(fw_cfg->Open().ok());
  EXPECT_TRUE(fw_cfg->Find("f1023").ok());
  // One that is there, not only announced.
  device.AddFile("one more", "x");
  EXPECT_EQ(fw_cfg->Open().reason(), kFwCfgDirectory);
}

TEST(FwCfg, EveryTransferMayFail) {
  FakeFwCfg device(512);
  device.AddFile("a", Blob(2000, 7));
  auto run = [&] {
    auto fw_cfg = std::make_unique<FwCfg>(device);
    BASE_TRY(fw_cfg->Open());
    BASE_TRY_ASSIGN(const FwCfgFile file, fw_cfg->Find("a"));
    Blob out(file.size);
    return fw_cfg->Read(file, out);
  };
  ASSERT_TRUE(run().ok());
  const int all = device.transfers;
  for (int failing = 1; failing <= all; ++failing) {
    device.transfers = 0;
    device.before_transfer = [failing](int number) {
      return number == failing
                 ? base::Status(base::Code::kUnavailable, kFwCfgError)
                 : base::Status();
    };
    EXPECT_EQ(run().reason(), kFwCfgError) << failing;
  }
}

class TestClock final : public base::Clock {
 public:
  base::Instant Now() override { return base::Instant{now}; }
  void Relax() override {
    now += step;
    ++relaxed;
  }
  uint64_t now = 0;
  uint64_t step = 1'000'000;
  uint64_t relaxed = 0;
};

class TestDoorbell final : public FwCfgDoorbell {
 public:
  explicit TestDoorbell(FwCfgAccess& access) : access_(access) {}
  void Ring(uint64_t address) override {
    EXPECT_EQ(address, 0x1234'5678'9000u);
    control = base::LoadBe<uint32_t>(access_.control);
    length = base::LoadBe<uint32_t>(access_.length);
    buffer = base::LoadBe<uint64_t>(access_.address);
    base::StoreBe(answer, std::span(access_.control));
  }
  FwCfgAccess& access_;
  uint32_t answer = 0;
  uint32_t control = 0;
  uint32_t length = 0;
  uint64_t buffer = 0;
};

class FwCfgDmaTest : public testing::Test {
 protected:
  FwCfgDmaTest() : doorbell_(access_) {
    config_.access = &access_;
    config_.access_address = 0x1234'5678'9000;
    config_.patience = base::Milliseconds{100};
  }
  FwCfgAccess access_{};
  TestDoorbell doorbell_;
  TestClock clock_;
  FwCfgDma::Config config_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(300);
};

TEST_F(FwCfgDmaTest, WritesBigEndianAndTranslates) {
  config_.address_offset =
      0x40000000 - reinterpret_cast<uintptr_t>(buffer_.data());
  FwCfgDma dma(config_, doorbell_, clock_);
  EXPECT_TRUE(dma.Transfer(0x0019000A, buffer_).ok());
  EXPECT_EQ(doorbell_.control, 0x0019000Au);
  EXPECT_EQ(doorbell_.length, 300u);
  EXPECT_EQ(doorbell_.buffer, 0x40000000u);
  EXPECT_EQ(clock_.relaxed, 0u);
}

TEST_F(FwCfgDmaTest, ReportsTheErrorBit) {
  FwCfgDma dma(config_, doorbell_, clock_);
  doorbell_.answer = 1;
  EXPECT_EQ(dma.Transfer(2, buffer_).reason(), kFwCfgError);
}

TEST_F(FwCfgDmaTest, GivesUpAtTheDeadline) {
  FwCfgDma dma(config_, doorbell_, clock_);
  for (const uint32_t answer : {2u, 3u, 0x80000001u, 0xFFFFFFFFu}) {
    doorbell_.answer = answer;
    EXPECT_EQ(dma.Transfer(2, buffer_).reason(), kFwCfgTimeout);
  }
}

TEST_F(FwCfgDmaTest, GivesUpWhenTheClockStands) {
  config_.max_polls = 1000;
  clock_.step = 0;
  doorbell_.answer = 2;
  FwCfgDma dma(config_, doorbell_, clock_);
  EXPECT_EQ(dma.Transfer(2, buffer_).reason(), kFwCfgTimeout);
  EXPECT_LE(clock_.relaxed, 1000u);
}

}  // namespace
}  // namespace svsm
