// SPDX-License-Identifier: Apache-2.0
//
// A guest of 64 MiB whose boot files are fakes, with two secrets.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "svsm/fw_cfg/fake_fw_cfg.h"
#include "svsm/fw_cfg/fw_cfg.h"
#include "svsm/linux/boot_files.h"
#include "svsm/linux/cpio.h"
#include "svsm/linux/fake_acpi.h"
#include "svsm/linux/fake_kernel.h"
#include "svsm/linux/handover.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"

namespace svsm {

using Blob = std::vector<uint8_t>;

inline constexpr Range kImage{0x200000, 0x300000};
inline constexpr size_t kMemory = size_t{64} << 20;

inline size_t Count(const Blob& memory, std::string_view needle) {
  const std::string_view all(reinterpret_cast<const char*>(memory.data()),
                             memory.size());
  size_t count = 0;
  for (size_t at = all.find(needle); at != all.npos;
       at = all.find(needle, at + 1)) {
    ++count;
  }
  return count;
}

inline base::Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class HandoverTest : public testing::Test {
 protected:
  void SetUp() override { seed_.fill(0xEE); }

  base::Status Load(AcpiSource acpi, const Blob& kernel = FakeKernel(),
                    uint64_t reserve = RoomBehindInitrd(2, 1000)) {
    device_.AddFile(kKernelFile, kernel);
    device_.AddFile(kInitrdFile, initrd_);
    device_.AddFile(kCmdlineFile, "quiet");
    device_.AddFile(kAcpiRsdpFile, acpi_.rsdp);
    device_.AddFile(kAcpiTablesFile, acpi_.tables);
    device_.AddFile(kAcpiLoaderFile, acpi_.loader);
    BASE_TRY(map_.Accept({{{0, 0x9FC00, 1},
                           {0x100000, kMemory - 0x100000, 1},
                           {0x100000000, 0x40000000, 1}}},
                         kImage));
    fw_cfg_ = std::make_unique<FwCfg>(device_);
    BASE_TRY(fw_cfg_->Open());
    return LoadBootFiles(*fw_cfg_, map_, window_, acpi, reserve, files_);
  }
  // What the configuration says of disks_ and secrets_.
  std::vector<SecretPlace> Places() const {
    std::vector<SecretPlace> places;
    for (const FileSecret& file : secrets_) {
      places.push_back(
          {SecretPlace::Kind::kFile, file.path, file.contents.size() + 9});
    }
    for (const DiskSecret& disk : disks_) {
      places.push_back({SecretPlace::Kind::kDisk, disk.volume, 64});
    }
    return places;
  }
  base::Status Plan(uint64_t encryption_mask = 0) {
    return PlanKernel(files_, map_, window_,
                      {.secrets = Places(), .encryption_mask = encryption_mask},
                      handover_);
  }
  base::Result<Handover> Fill() {
    BASE_TRY(FillKernel(files_, window_,
                        {.disks = disks_, .files = secrets_, .rng_seed = seed_},
                        handover_));
    return handover_;
  }
  base::Result<Handover> Prepare() {
    BASE_TRY(Plan());
    return Fill();
  }
  template <typename T>
  T Read(uint64_t address) {
    return base::LoadLe<T>(window_.At(address, sizeof(T)).first<sizeof(T)>());
  }

  Blob memory_ = Blob(kMemory, 0);
  PhysicalWindow window_ = PhysicalWindow::Over(memory_, 0);
  Blob initrd_ = Blob(5001, 0x55);
  FakeAcpi acpi_;
  FakeFwCfg device_;
  std::unique_ptr<FwCfg> fw_cfg_;
  MemoryMap map_;
  BootFiles files_;
  Handover handover_;
  std::array<uint8_t, 32> seed_;
  std::array<uint8_t, 32> digest_{};
  std::vector<DiskSecret> disks_ = {
      {"root", AsBytes("a-key-of-which-there-is-one-copy"), 294912, digest_}};
  std::vector<FileSecret> secrets_ = {
      {"/etc/secret", AsBytes("a-file-of-which-there-is-one-copy")}};
};

}  // namespace svsm
