// SPDX-License-Identifier: Apache-2.0
#include "svsm/boot/start_info.h"

#include <stdint.h>
#include <string.h>

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"
#include "svsm/reasons.h"

namespace svsm {
namespace {

constexpr uint64_t kAt = 0x100;
constexpr uint64_t kMapAt = 0x400;
constexpr size_t kMapAddressField = 40;
constexpr size_t kMapCountField = 48;

class StartInfoTest : public testing::Test {
 protected:
  StartInfoTest() {
    Put32(kAt, 0x336EC578);
    Put32(kAt + 4, 1);
    Put64(kAt + kMapAddressField, kMapAt);
    Put32(kAt + kMapCountField, 2);
    Put64(kMapAt, 0);
    Put64(kMapAt + 8, 0xA0000);
    Put32(kMapAt + 16, 1);
    Put64(kMapAt + 24, 0x100000);
    Put64(kMapAt + 32, 0x1FF00000);
    Put32(kMapAt + 40, 1);
  }
  void Put32(size_t at, uint32_t value) { memcpy(&memory_[at], &value, 4); }
  void Put64(size_t at, uint64_t value) { memcpy(&memory_[at], &value, 8); }
  base::Status Read(uint64_t address = kAt) {
    return ReadStartInfo(PhysicalWindow::Over(memory_, 0), memory_.size(),
                         address, info_);
  }
  void ExpectMalformed(uint64_t address = kAt) {
    EXPECT_EQ(Read(address), base::Status(base::Code::kDataLoss, kStartInfo));
    EXPECT_EQ(info_.count, 0u);
  }

  std::vector<uint8_t> memory_ = std::vector<uint8_t>(0x1000);
  StartInfo info_;
};

TEST_F(StartInfoTest, CopiesTheMap) {
  ASSERT_TRUE(Read().ok());
  ASSERT_EQ(info_.map().size(), 2u);
  EXPECT_EQ(info_.map()[1].address, 0x100000u);
  EXPECT_EQ(info_.map()[1].size, 0x1FF00000u);
  EXPECT_EQ(info_.map()[1].type, 1u);
}

TEST_F(StartInfoTest, RefusesWhatIsNotOne) {
  Put32(kAt, 0x336EC579);
  ExpectMalformed();
}

TEST_F(StartInfoTest, RefusesVersionZero) {
  Put32(kAt + 4, 0);
  ExpectMalformed();
}

TEST_F(StartInfoTest, RefusesWhatLiesOutside) {
  ExpectMalformed(memory_.size() - 55);
  ExpectMalformed(memory_.size() + 1);
  ExpectMalformed(UINT64_MAX - 4);
  Put64(kAt + kMapAddressField, memory_.size() - 47);
  ExpectMalformed();
  Put64(kAt + kMapAddressField, UINT64_MAX - 23);
  ExpectMalformed();
}

TEST_F(StartInfoTest, RefusesTooManyEntries) {
  Put32(kAt + kMapCountField, MemoryMap::kMaxHostEntries + 1);
  ExpectMalformed();
  Put32(kAt + kMapCountField, UINT32_MAX);
  ExpectMalformed();
}

TEST_F(StartInfoTest, EveryFlippedBitIsReadOrRefusedInBounds) {
  for (size_t bit = 0; bit < 56 * 8; ++bit) {
    const auto mask = static_cast<uint8_t>(1 << (bit % 8));
    memory_[kAt + bit / 8] ^= mask;
    static_cast<void>(Read());
    memory_[kAt + bit / 8] ^= mask;
  }
}

}  // namespace
}  // namespace svsm
