// SPDX-License-Identifier: Apache-2.0
//
// Where the secrets go: behind whatever initrd the owner has.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "svsm/fw_cfg/fake_fw_cfg.h"
#include "svsm/linux/boot_files.h"
#include "svsm/linux/cpio.h"
#include "svsm/linux/fake_handover.h"
#include "svsm/linux/fake_kernel.h"
#include "svsm/linux/handover.h"
#include "svsm/memory/memory_map.h"

namespace svsm {
namespace {

using InitrdTest = HandoverTest;

// Linux's lz4 decompressor reads a 32-bit word behind the stream, at whatever
// alignment, and ends there only if that word is zero. Everything else skips
// zeros, also an owner's own.
TEST_F(InitrdTest, ZerosAreBetweenInitrdAndSecrets) {
  for (const size_t length : {5000u, 5001u, 5002u, 5003u, 8192u, 1u}) {
    for (const size_t zeros : {0u, 1u, 3u, 4u, 7u, 512u}) {
      SCOPED_TRACE(testing::Message() << length << " and " << zeros);
      device_ = FakeFwCfg();
      map_ = MemoryMap();
      memory_.assign(memory_.size(), 0xA5);
      initrd_.assign(length, 0x55);
      initrd_.resize(length + zeros);
      ASSERT_TRUE(Load(AcpiSource::kNone).ok());
      // Whoever fills the room before, the gap is zeros, and so is what stays
      // behind the secrets.
      const base::MutableBytes room =
          window_.At(files_.initrd.memory).subspan(files_.initrd.length);
      memset(room.data(), 0xA5, room.size());
      const auto handover = Prepare();
      ASSERT_TRUE(handover.ok());
      const uint64_t end = handover->initrd + length;
      EXPECT_GE(handover->secrets - end, 8 + zeros);
      EXPECT_EQ((handover->secrets - handover->initrd) % 4, 0u);
      EXPECT_TRUE(base::AllZero(window_.At(end, handover->secrets - end)));
      EXPECT_TRUE(
          base::Equal(window_.At(handover->secrets, 6), AsBytes("070701")));
      EXPECT_EQ(handover->initrd + handover->initrd_size,
                handover->secrets + handover->secrets_size);
      const uint64_t behind = handover->secrets + handover->secrets_size;
      EXPECT_TRUE(
          base::AllZero(window_.At(behind, files_.initrd.memory.end - behind)));
    }
  }
}

// Linux cuts a boot configuration off an initrd's very end, before it unpacks.
TEST_F(InitrdTest, ABootConfigurationStaysTheLast) {
  const std::string_view text = "kernel.quiet";
  for (const size_t padding : {0u, 1u, 3u}) {
    for (const bool secrets : {true, false}) {
      SCOPED_TRACE(testing::Message() << padding << " " << secrets);
      device_ = FakeFwCfg();
      map_ = MemoryMap();
      memory_.assign(memory_.size(), 0xA5);
      initrd_.assign(1001, 0x55);
      Blob trailer(text.begin(), text.end());
      uint32_t sum = 0;
      for (const uint8_t byte : trailer) sum += byte;
      for (const uint32_t word : {static_cast<uint32_t>(text.size()), sum}) {
        trailer.resize(trailer.size() + 4);
        Poke(trailer, trailer.size() - 4, word);
      }
      for (const char c : std::string_view("#BOOTCONFIG\n")) {
        trailer.push_back(static_cast<uint8_t>(c));
      }
      trailer.resize(trailer.size() + padding);
      initrd_.insert(initrd_.end(), trailer.begin(), trailer.end());
      ASSERT_TRUE(Load(AcpiSource::kNone).ok());
      EXPECT_EQ(files_.initrd_trailer, trailer.size());
      ASSERT_TRUE(Plan().ok());
      const auto disks = disks_;
      const auto files = secrets_;
      if (!secrets) {  // as after a refusal, where the image may boot all the
                       // same
        disks_.clear();
        secrets_.clear();
      }
      const auto handover = Fill();
      disks_ = disks;
      secrets_ = files;
      ASSERT_TRUE(handover.ok());
      const uint64_t end = handover->initrd + handover->initrd_size;
      EXPECT_TRUE(base::Equal(window_.At(end - trailer.size(), trailer.size()),
                              trailer));
      EXPECT_TRUE(
          base::AllZero(window_.At(end, files_.initrd.memory.end - end)));
      EXPECT_EQ(Read<uint32_t>(handover->zero_page + 0x21C),
                handover->initrd_size);
      EXPECT_TRUE(base::Equal(window_.At(handover->initrd, 1001),
                              base::Bytes(initrd_).first(1001)));
      if (!secrets) {
        EXPECT_EQ(handover->initrd_size, initrd_.size());
        continue;
      }
      EXPECT_EQ(handover->secrets, handover->initrd + 1012);
      EXPECT_TRUE(base::AllZero(window_.At(handover->initrd + 1001, 11)));
      EXPECT_EQ(handover->secrets + handover->secrets_size + trailer.size(),
                end);
      EXPECT_EQ(Count(memory_, text), 1u);
    }
  }
}

// The room is enough for the largest secrets whatever the initrd's length.
TEST_F(InitrdTest, RoomBehindInitrdIsEnough) {
  for (const size_t length : {0u, 1u, 2u, 3u, 4u}) {
    EXPECT_LE(SecretsOffset(length) + CpioSegment::RoomFor(2, 1000),
              length + RoomBehindInitrd(2, 1000));
  }
}

TEST_F(InitrdTest, WithoutSecretsTheInitrdIsTheHosts) {
  ASSERT_TRUE(Load(AcpiSource::kNone).ok());
  disks_.clear();
  secrets_.clear();
  auto handover = Prepare();
  ASSERT_TRUE(handover.ok());
  EXPECT_EQ(handover->initrd_size, 5001u);
  EXPECT_EQ(handover->secrets_size, 0u);
}

}  // namespace
}  // namespace svsm
