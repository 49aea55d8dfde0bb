// SPDX-License-Identifier: Apache-2.0
//
// Reads what PlanKernel() and FillKernel() leave for an SNP guest as Linux
// does: sev_enable() of the decompressor, and get_secrets_page() of the kernel.
#include "svsm/linux/cc_blob.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "sev/cpuid_page.h"
#include "sev/secrets_page.h"
#include "svsm/fw_cfg/fake_fw_cfg.h"
#include "svsm/fw_cfg/fw_cfg.h"
#include "svsm/linux/boot_files.h"
#include "svsm/linux/fake_kernel.h"
#include "svsm/linux/handover.h"
#include "svsm/linux/reasons.h"
#include "svsm/linux/trampoline_page.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"

namespace svsm {
namespace {

constexpr Range kImage{0x200000, 0x300000};
constexpr size_t kMemory = size_t{28} << 20;
constexpr uint64_t kCbit = uint64_t{1} << 51;
constexpr uint8_t kGarbage = 0xA5;  // what unwritten memory holds on SNP

class CcBlobTest : public testing::Test {
 protected:
  CcBlobTest() {
    secrets_.fill(0x11);
    cpuid_.fill(0x22);
    for (size_t i = 0; i < 128; ++i) {
      // VMPCK0 to VMPCK3: 0x80, 0x81, 0x82, 0x83.
      secrets_[0x20 + i] = static_cast<uint8_t>(0x80 + i / 32);
    }
  }
  base::Result<Handover> Boot() {
    device_.AddFile(kKernelFile, FakeKernel());
    device_.AddFile(kCmdlineFile, "quiet");
    const HostMapEntry kMap[] = {{0, kMemory, 1},
                                 {uint64_t{1} << 32, 1 << 30, 1}};
    BASE_TRY(map_.Accept(kMap, kImage));
    FwCfg& fw_cfg = *(fw_cfg_ = std::make_unique<FwCfg>(device_));
    BASE_TRY(fw_cfg.Open());
    BASE_TRY(LoadBootFiles(fw_cfg, map_, window_, AcpiSource::kNone,
                           RoomBehindInitrd(1, 100), files_));
    return Prepare();
  }
  base::Result<Handover> Prepare() {
    BASE_TRY(PlanKernel(files_, map_, window_,
                        {.encryption_mask = kCbit, .launch_pages = true},
                        out_));
    BASE_TRY(FillKernel(
        files_, window_,
        {.rng_seed = seed_, .launch_pages = LaunchPages{secrets_, cpuid_}},
        out_));
    return out_;
  }
  template <typename T>
  T Read(uint64_t address) {
    return base::LoadLe<T>(window_.At(address, sizeof(T)).first<sizeof(T)>());
  }
  // The address of the blob, by setup_data; 0: there is none.
  uint64_t FindBlob(uint64_t zero_page) {
    for (uint64_t node = Read<uint64_t>(zero_page + 0x250); node != 0;
         node = Read<uint64_t>(node)) {
      if (Read<uint32_t>(node + 8) == 7) return Read<uint32_t>(node + 16);
    }
    return 0;
  }
  // e820's type of `page`; 0: none.
  uint32_t TypeOf(uint64_t zero_page, uint64_t page) {
    for (size_t i = 0; i < Read<uint8_t>(zero_page + 0x1E8); ++i) {
      const uint64_t at = zero_page + 0x2D0 + 20 * i;
      const uint64_t begin = Read<uint64_t>(at);
      if (begin <= page && page < begin + Read<uint64_t>(at + 8)) {
        return Read<uint32_t>(at + 16);
      }
    }
    return 0;
  }
  bool IsWiped(const Handover& handover, uint64_t page) {
    for (uint64_t at = handover.trampoline + FORELOCK_TRAMPOLINE_RANGES;;
         at += 16) {
      const uint64_t begin = Read<uint64_t>(at);
      const uint64_t end = begin + Read<uint64_t>(at + 8) * 8;
      if (begin == end) return false;
      if (page < end && begin < page + kPageSize) return true;
    }
  }
  size_t CountOf(base::Bytes needle) {
    size_t count = 0;
    for (auto at = memory_.begin();;) {
      at = std::search(at, memory_.end(), needle.begin(), needle.end());
      if (at == memory_.end()) return count;
      ++count;
      ++at;
    }
  }

  std::vector<uint8_t> memory_ = std::vector<uint8_t>(kMemory, kGarbage);
  PhysicalWindow window_ = PhysicalWindow::Over(memory_, 0);
  std::array<uint8_t, sev::kSecretsPageSize> secrets_;
  std::array<uint8_t, sev::kCpuidPageSize> cpuid_;
  std::array<uint8_t, 32> seed_{};
  FakeFwCfg device_;
  std::unique_ptr<FwCfg> fw_cfg_;
  MemoryMap map_;
  BootFiles files_;
  Handover out_;
};

TEST_F(CcBlobTest, LinuxFindsBothPages) {
  const auto handover = Boot();
  ASSERT_TRUE(handover.ok());
  const uint64_t blob = FindBlob(handover->zero_page);
  ASSERT_NE(blob, 0u);
  EXPECT_EQ(Read<uint32_t>(blob), 0x45444D41u);
  EXPECT_EQ(Read<uint32_t>(blob + 4), 0u);
  EXPECT_EQ(Read<uint32_t>(blob + 16), 4096u);
  EXPECT_EQ(Read<uint32_t>(blob + 32), 4096u);
  const uint64_t secrets = Read<uint64_t>(blob + 8);
  const uint64_t cpuid = Read<uint64_t>(blob + 24);
  EXPECT_TRUE(base::Equal(window_.At(cpuid, 4096), cpuid_));

  auto expected = secrets_;
  std::fill_n(expected.begin() + 0x20, 32, uint8_t{0});
  EXPECT_TRUE(base::Equal(window_.At(secrets, 4096), expected));
  // The decompressor sets this field itself, and does not trust it.
  EXPECT_EQ(Read<uint32_t>(handover->zero_page + 0x13C), 0u);

  for (const uint64_t page : {secrets, cpuid, PageDown(blob)}) {
    EXPECT_EQ(TypeOf(handover->zero_page, page), 2u);
    EXPECT_FALSE(IsWiped(*handover, page));
    EXPECT_LT(page, MemoryMap::k4GiB);
  }
  EXPECT_TRUE(IsWiped(*handover, kImage.begin));
  EXPECT_EQ(handover->encryption_mask, kCbit);
}

TEST_F(CcBlobTest, TheSeedsNodeLeadsToTheBlobs) {
  const auto handover = Boot();
  ASSERT_TRUE(handover.ok());
  const uint64_t first = Read<uint64_t>(handover->zero_page + 0x250);
  EXPECT_EQ(first, handover->rng_seed);
  EXPECT_EQ(Read<uint32_t>(first + 8), 9u);
  const uint64_t second = Read<uint64_t>(first);
  EXPECT_GE(second, first + 48);
  EXPECT_LE(second + kCcBlobNodeSize, first + kPageSize);
  EXPECT_EQ(Read<uint32_t>(second + 8), 7u);
  EXPECT_EQ(Read<uint32_t>(second + 12), 8u);
  EXPECT_EQ(Read<uint64_t>(second), 0u);
  // KASLR avoids setup_data wherever it is, so plain RAM will do.
  EXPECT_EQ(TypeOf(handover->zero_page, first), 1u);
}

TEST_F(CcBlobTest, OneCopyOfTheKernelsKeysAndNoneOfOurs) {
  ASSERT_TRUE(Boot().ok());
  EXPECT_EQ(CountOf(std::vector<uint8_t>(32, 0x80)), 0u);
  for (const uint8_t key : {0x81, 0x82, 0x83}) {
    EXPECT_EQ(CountOf(std::vector<uint8_t>(32, key)), 1u);
  }
}

TEST_F(CcBlobTest, NothingStaysWhenMemoryIsShort) {
  ASSERT_TRUE(Boot().ok());
  memory_.assign(kMemory, kGarbage);
  map_ = MemoryMap();
  device_ = FakeFwCfg();
  // Leaves the kernel's place, one for the ACPI root, the parameters and the
  // kept pages, and none for the trampoline.
  const HostMapEntry kMap[] = {{0, kMemory, 1}};
  ASSERT_TRUE(map_.Accept(kMap, kImage).ok());
  ASSERT_TRUE(map_.AllocateAt({0x100000, 0x200000}, Use::kKernel).ok());
  ASSERT_TRUE(map_.AllocateAt({0x300000, 0x1000000}, Use::kKernel).ok());
  ASSERT_TRUE(
      map_.AllocateAt({0x1400000 + 6 * kPageSize, kMemory}, Use::kKernel).ok());
  EXPECT_EQ(Prepare().status().reason(), kNoMemory);
  for (const uint8_t key : {0x80, 0x81, 0x82, 0x83}) {
    EXPECT_EQ(CountOf(std::vector<uint8_t>(32, key)), 0u);
  }
}

// A host can take a page away under the guest, which is an exception in the
// middle of FillKernel().
sigjmp_buf interrupted;

TEST_F(CcBlobTest, WhoeverInterruptsKnowsWhereTheKeysAre) {
  ASSERT_TRUE(Boot().ok());
  const uint64_t kept = out_.kept_pages;
  ASSERT_NE(kept, 0u);
  map_ = MemoryMap();
  device_ = FakeFwCfg();
  out_ = {};
  constexpr uintptr_t kHostPage = 4096;
  // EDGE: the first whole page of the host's behind the place's begin.
  uint8_t* const place = window_.At(kept, kKeptPagesSize).data();
  uint8_t* const page =
      place + (-reinterpret_cast<uintptr_t>(place) & (kHostPage - 1));
  struct sigaction old;
  struct sigaction action = {};
  action.sa_handler = [](int) { siglongjmp(interrupted, 1); };
  ASSERT_EQ(sigaction(SIGSEGV, &action, &old), 0);
  const bool came = sigsetjmp(interrupted, 1) != 0;
  if (!came) {
    ASSERT_EQ(mprotect(page, kHostPage, PROT_NONE), 0);
    static_cast<void>(Boot());
  }
  ASSERT_EQ(mprotect(page, kHostPage, PROT_READ | PROT_WRITE), 0);
  ASSERT_EQ(sigaction(SIGSEGV, &old, nullptr), 0);
  EXPECT_TRUE(came);
  EXPECT_EQ(out_.kept_pages, kept);
}

}  // namespace
}  // namespace svsm
