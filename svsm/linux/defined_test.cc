// SPDX-License-Identifier: Apache-2.0
//
// What the kernel gets is defined byte for byte: the same whatever memory held
// before. On SNP, accepted pages hold noise until they are written.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <map>
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
#include "svsm/linux/bzimage.h"
#include "svsm/linux/cc_blob.h"
#include "svsm/linux/cpio.h"
#include "svsm/linux/fake_acpi.h"
#include "svsm/linux/fake_kernel.h"
#include "svsm/linux/handover.h"
#include "svsm/linux/trampoline_page.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"

namespace svsm {
namespace {

using Blob = std::vector<uint8_t>;

constexpr Range kImage{0x200000, 0x300000};
constexpr size_t kMemory = size_t{28} << 20;

struct Row {
  const char* name;
  AcpiSource acpi;
  size_t initrd;
  size_t command_line;
  bool secrets;
  bool launch_pages;
  uint32_t init_size;
  bool moved = false;  // the kernel's preferred place is taken
};

// Made once for each `seed`.
const Blob& Noise(uint64_t seed) {
  static auto& made = *new std::map<uint64_t, Blob>;
  Blob& noise = made[seed];
  if (!noise.empty()) return noise;
  noise.resize(kMemory);
  uint64_t state = seed;
  for (size_t at = 0; at < kMemory; at += sizeof(state)) {
    state = state * 6364136223846793005 + 1442695040888963407;
    memcpy(noise.data() + at, &state, sizeof(state));
  }
  return noise;
}

// One hand-over in memory of noise.
class Guest {
 public:
  explicit Guest(uint64_t noise) : fresh_(Noise(noise)), memory_(fresh_) {}

  base::Status HandOver(const Row& row) {
    auto kernel = FakeKernel();
    Poke<uint32_t>(kernel, 0x260, row.init_size);
    device_.AddFile(kKernelFile, kernel);
    if (row.initrd != 0) device_.AddFile(kInitrdFile, Blob(row.initrd, 0x55));
    if (row.command_line != 0) {
      device_.AddFile(kCmdlineFile, Blob(row.command_line, 'c'));
    }
    const FakeAcpi acpi;
    device_.AddFile(kAcpiRsdpFile, acpi.rsdp);
    device_.AddFile(kAcpiTablesFile, acpi.tables);
    device_.AddFile(kAcpiLoaderFile, acpi.loader);
    BASE_TRY(map_.Accept({{{0, 0x9FC00, 1},
                           {0xC0000, 0x40000, 1},
                           {0x100000, kMemory - 0x100000, 1}}},
                         kImage));
    if (map_.HasRomArea()) map_.WipeRomArea();
    fw_cfg_ = std::make_unique<FwCfg>(device_);
    BASE_TRY(fw_cfg_->Open());
    BASE_TRY(LoadBootFiles(*fw_cfg_, map_, window_, row.acpi,
                           RoomBehindInitrd(2, 1000), files_));
    if (row.moved) {
      const Range in_the_way{0x1200000, 0x1201000};
      BASE_TRY(map_.AllocateAt(in_the_way, Use::kSvsm));
    }
    const uint8_t key[] = "a key of some bytes";
    const std::array<uint8_t, 32> digest{};
    const DiskSecret disk{"root", key, 294912, digest};
    const FileSecret file{"/etc/secret", key};
    const SecretPlace places[] = {{SecretPlace::Kind::kDisk, disk.volume, 64},
                                  {SecretPlace::Kind::kFile, file.path, 100}};
    std::array<uint8_t, 32> seed;
    seed.fill(0xEE);
    std::array<uint8_t, sev::kSecretsPageSize> secrets_page;
    secrets_page.fill(0x11);
    std::array<uint8_t, sev::kCpuidPageSize> cpuid_page;
    cpuid_page.fill(0x22);
    PlanInput plan{.encryption_mask = uint64_t{1} << 51,
                   .launch_pages = row.launch_pages};
    FillInput fill{.rng_seed = seed};
    if (row.secrets) {
      plan.secrets = places;
      fill.disks = {&disk, 1};
      fill.files = {&file, 1};
    }
    if (row.launch_pages) {
      fill.launch_pages = LaunchPages{secrets_page, cpuid_page};
    }
    BASE_TRY(PlanKernel(files_, map_, window_, plan, handover_));
    BASE_TRY(FillKernel(files_, window_, fill, handover_));
    Overwrite();
    return {};
  }

  // All that is handed over with a meaning: what was allocated, whatever for,
  // and RAM below 1 MiB. The rest is free RAM to Linux.
  std::vector<Range> Defined() const {
    std::vector<Range> ranges = {{0, 0x9F000}, {0xC0000, 0x100000}};
    for (const MemoryMap::Allocation& allocation : map_.allocations()) {
      ranges.push_back(allocation.range);
    }
    std::sort(ranges.begin(), ranges.end(),
              [](Range a, Range b) { return a.begin < b.begin; });
    return ranges;
  }
  base::Bytes At(Range range) const { return window_.At(range); }
  const MemoryMap& map() const { return map_; }
  const Handover& handover() const { return handover_; }
  const BootFiles& files() const { return files_; }

  // Free RAM is as it was, all of it.
  bool RestIsUntouched() const {
    uint64_t at = 0x100000;
    const auto same = [&](uint64_t end) {
      return memcmp(fresh_.data() + at, memory_.data() + at, end - at) == 0;
    };
    for (const Range range : Defined()) {
      if (range.begin < at) continue;
      if (!same(range.begin)) return false;
      at = range.end;
    }
    return same(kMemory);
  }

 private:
  // As the trampoline does.
  void Overwrite() {
    for (uint64_t at = handover_.trampoline + FORELOCK_TRAMPOLINE_RANGES;;
         at += 16) {
      const auto read = [&](uint64_t from) {
        return base::LoadLe<uint64_t>(window_.At(from, 8).first<8>());
      };
      const uint64_t begin = read(at);
      const uint64_t words = read(at + 8);
      if (words == 0) return;
      const base::MutableBytes bytes = window_.At(begin, words * 8);
      memset(bytes.data(), 0, bytes.size());
    }
  }

  const Blob& fresh_;
  Blob memory_;
  PhysicalWindow window_ = PhysicalWindow::Over(memory_, 0);
  FakeFwCfg device_;
  std::unique_ptr<FwCfg> fw_cfg_;
  MemoryMap map_;
  BootFiles files_;
  Handover handover_;
};

const Row kRows[] = {
    {"snp", AcpiSource::kNone, 5001, 5, true, true, 0x400000},
    {"emulated", AcpiSource::kFromHost, 4096, 4, true, false, 0x400000},
    {"no initrd", AcpiSource::kNone, 0, 0, true, true, 0x400000},
    {"no secrets", AcpiSource::kFromHost, 5003, 2047, false, true, 0x400000},
    {"init_size of no whole pages", AcpiSource::kNone, 1, 1, false, false,
     0x3FF001},
    {"init_size is the payload's", AcpiSource::kNone, 1, 1, false, false,
     0x2000},
    {"moved", AcpiSource::kFromHost, 5001, 5, true, true, 0x3FF001, true},
};

TEST(DefinedTest, WhatTheKernelGetsDependsOnNothingThatMemoryHeld) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    const auto one = std::make_unique<Guest>(1);
    const auto two = std::make_unique<Guest>(2);
    ASSERT_TRUE(one->HandOver(row).ok());
    ASSERT_TRUE(two->HandOver(row).ok());
    const auto ranges = one->Defined();
    ASSERT_EQ(ranges, two->Defined());
    for (const Range range : ranges) {
      const base::Bytes a = one->At(range);
      const base::Bytes b = two->At(range);
      if (base::Equal(a, b)) continue;
      const auto differ = std::mismatch(a.begin(), a.end(), b.begin());
      ADD_FAILURE() << std::hex << range.begin << " to " << range.end
                    << ", first at "
                    << range.begin +
                           static_cast<uint64_t>(differ.first - a.begin());
    }
    // The test would see what is not written.
    EXPECT_TRUE(one->RestIsUntouched());
    EXPECT_TRUE(two->RestIsUntouched());
  }
}

// What a loader of PE files would zero; Linux 6.18 relies on it.
TEST(DefinedTest, TheKernelIsZerosFromItsPayloadsEndOn) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    const auto guest = std::make_unique<Guest>(1);
    ASSERT_TRUE(guest->HandOver(row).ok());
    const uint64_t load = guest->handover().entry - kEntry64;
    const uint64_t payload = guest->files().image.payload_size;
    EXPECT_EQ(payload, 0x2000u);
    if (row.moved) EXPECT_GT(load, 0x1000000u);
    const uint64_t end = PageUp(load + row.init_size);
    if (load + payload == end) continue;
    EXPECT_TRUE(base::AllZero(guest->At({load + payload, end})));
  }
}

}  // namespace
}  // namespace svsm
