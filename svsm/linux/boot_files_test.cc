// SPDX-License-Identifier: Apache-2.0
#include "svsm/linux/boot_files.h"

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/reasons.h"
#include "base/result.h"
#include "boot/fake_initrd.h"
#include "boot/reasons.h"
#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "svsm/fw_cfg/fake_fw_cfg.h"
#include "svsm/fw_cfg/fw_cfg.h"
#include "svsm/linux/fake_acpi.h"
#include "svsm/linux/fake_kernel.h"
#include "svsm/linux/reasons.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"

namespace svsm {
namespace {

using Blob = std::vector<uint8_t>;

constexpr Range kImage{0x200000, 0x300000};

class BootFilesTest : public testing::Test {
 protected:
  void AddAcpi(const FakeAcpi& acpi = {}) {
    device_.AddFile(kAcpiRsdpFile, acpi.rsdp);
    device_.AddFile(kAcpiTablesFile, acpi.tables);
    device_.AddFile(kAcpiLoaderFile, acpi.loader);
  }
  void AddBoot() {
    device_.AddFile(kKernelFile, FakeKernel());
    device_.AddFile(kInitrdFile, Blob(5000, 0x55));
    device_.AddFile(kCmdlineFile, "console=ttyS0");
  }
  base::Status Load(AcpiSource acpi, uint64_t reserve = 0) {
    BASE_TRY(map_.Accept({{{0x100000, memory_.size() - 0x100000, 1}}}, kImage));
    FwCfg& fw_cfg = *(fw_cfg_ = std::make_unique<FwCfg>(device_));
    BASE_TRY(fw_cfg.Open());
    return LoadBootFiles(fw_cfg, map_, window_, acpi, reserve, files_);
  }
  base::Bytes At(const BootFile& file) {
    return window_.At(file.memory).first(file.length);
  }

  Blob memory_ = Blob(size_t{32} << 20, 0xCC);
  PhysicalWindow window_ = PhysicalWindow::Over(memory_, 0);
  FakeFwCfg device_;
  std::unique_ptr<FwCfg> fw_cfg_;
  MemoryMap map_;
  BootFiles files_;
};

TEST_F(BootFilesTest, CopiesAndHashesEach) {
  AddBoot();
  AddAcpi();
  ASSERT_TRUE(Load(AcpiSource::kFromHost, 10000).ok());
  const FakeAcpi acpi;
  const struct {
    const BootFile& file;
    Blob content;
  } kRows[] = {
      {files_.kernel, FakeKernel()},
      {files_.initrd, Blob(5000, 0x55)},
      {files_.cmdline,
       {'c', 'o', 'n', 's', 'o', 'l', 'e', '=', 't', 't', 'y', 'S', '0'}},
      {files_.acpi[0], acpi.rsdp},
      {files_.acpi[1], acpi.tables},
      {files_.acpi[2], acpi.loader},
  };
  IntervalSet<16> seen;
  ASSERT_TRUE(seen.Insert(kImage).ok());
  for (const auto& row : kRows) {
    EXPECT_TRUE(base::Equal(At(row.file), row.content)) << row.file.name;
    EXPECT_EQ(row.file.sha384, crypto::Sha384::Of(row.content));
    EXPECT_TRUE(seen.Insert(row.file.memory).ok()) << row.file.name;
    EXPECT_TRUE(
        base::AllZero(window_.At(row.file.memory).subspan(row.file.length)));
  }
  EXPECT_GE(files_.initrd.memory.size(), 15000u);
  EXPECT_EQ(files_.image.init_size, 0x400000u);
}

// The host changes a file after it was copied: nobody looks again.
TEST_F(BootFilesTest, ReadsEachFileOnce) {
  AddBoot();
  ASSERT_TRUE(Load(AcpiSource::kNone).ok());
  const int transfers = device_.transfers;
  // Signature, id, count, one batch of names, and one for each file.
  EXPECT_EQ(transfers, 4 + 3);
}

TEST_F(BootFilesTest, NeedsOnlyAKernel) {
  device_.AddFile(kKernelFile, FakeKernel());
  ASSERT_TRUE(Load(AcpiSource::kNone, 4096).ok());
  EXPECT_EQ(files_.initrd.length, 0u);
  EXPECT_EQ(files_.initrd.memory.size(), 4096u);
  EXPECT_EQ(files_.initrd.sha384, crypto::Sha384::Of({}));
  EXPECT_EQ(files_.cmdline.length, 0u);
  EXPECT_EQ(files_.cmdline.sha384, crypto::Sha384::Of({}));
  EXPECT_TRUE(base::AllZero(window_.At(files_.cmdline.memory)));
  EXPECT_FALSE(files_.acpi[0].present());
}

TEST_F(BootFilesTest, RefusesWithoutKernel) {
  device_.AddFile(kInitrdFile, "x");
  EXPECT_EQ(Load(AcpiSource::kNone).reason(), kNoKernel);
}

TEST_F(BootFilesTest, RefusesATruncatedKernel) {
  auto kernel = FakeKernel();
  kernel.pop_back();
  device_.AddFile(kKernelFile, kernel);
  EXPECT_EQ(Load(AcpiSource::kNone).reason(), kKernelTruncated);
}

TEST_F(BootFilesTest, RefusesAHugeKernel) {
  Blob name(kKernelFile.begin(), kKernelFile.end());
  name.resize(56);
  device_.AddRaw(0xFFFFFFFF, name, {1});
  EXPECT_EQ(Load(AcpiSource::kNone).reason(), kKernelTooLarge);
}

TEST_F(BootFilesTest, RefusesAnEmptyKernel) {
  device_.AddFile(kKernelFile, "");
  EXPECT_EQ(Load(AcpiSource::kNone).reason(), kKernelTooLarge);
}

TEST_F(BootFilesTest, RefusesAnInitrdLargerThanMemory) {
  device_.AddFile(kKernelFile, FakeKernel());
  Blob name(kInitrdFile.begin(), kInitrdFile.end());
  name.resize(56);
  device_.AddRaw(900 << 20, name, {1});
  EXPECT_EQ(Load(AcpiSource::kNone).reason(), kNoMemory);
  EXPECT_EQ(device_.transfers, 5);  // nothing of it was read
}

TEST_F(BootFilesTest, RefusesAnInitrdOverTheLimit) {
  device_.AddFile(kKernelFile, FakeKernel());
  Blob name(kInitrdFile.begin(), kInitrdFile.end());
  name.resize(56);
  device_.AddRaw((1 << 30) + 1, name, {1});
  EXPECT_EQ(Load(AcpiSource::kNone).reason(), kInitrdTooLarge);
}

// Linux would stop unpacking at it, before the secrets.
TEST_F(BootFilesTest, RefusesADamagedBootConfiguration) {
  device_.AddFile(kKernelFile, FakeKernel());
  Blob initrd(5000, 0x55);
  const std::string trailer = boot::BootconfigTrailer("kernel.quiet");
  initrd.insert(initrd.end(), trailer.begin(), trailer.end());
  initrd[5000] ^= 1;
  device_.AddFile(kInitrdFile, initrd);
  EXPECT_EQ(Load(AcpiSource::kNone).reason(), boot::kBootconfigDamaged);
}

TEST_F(BootFilesTest, KeepsTheInitrdWhereTheKernelReaches) {
  auto kernel = FakeKernel();
  Poke<uint32_t>(kernel, 0x22C, 0xFFFFFF);
  device_.AddFile(kKernelFile, kernel);
  device_.AddFile(kInitrdFile, Blob(5000));
  ASSERT_TRUE(Load(AcpiSource::kNone).ok());
  EXPECT_EQ(files_.initrd.memory.end, 0x1000000u);
}

TEST_F(BootFilesTest, ChecksTheCommandLine) {
  const struct {
    std::string line;
    base::Reason reason;
  } kRows[] = {
      {std::string(2049, 'a'), kCmdlineTooLong},
      {std::string(2048, 'a'), kKernelCmdlineLimit},
      {std::string("a\0b", 3), kCmdlineNul},
      {"a\n", kCmdlineNul},
      {"\x1b[2J", kCmdlineNul},
      {"\xc3\xa4", kCmdlineNul},
      {std::string(2047, 'a'), base::Reason()},
  };
  for (const auto& row : kRows) {
    device_ = FakeFwCfg();
    map_ = MemoryMap();
    device_.AddFile(kKernelFile, FakeKernel());
    device_.AddFile(kCmdlineFile, row.line);
    EXPECT_EQ(Load(AcpiSource::kNone).reason(), row.reason) << row.line.size();
  }
}

TEST_F(BootFilesTest, WantsAllOfAcpiOrNone) {
  AddBoot();
  const FakeAcpi acpi;
  device_.AddFile(kAcpiRsdpFile, acpi.rsdp);
  device_.AddFile(kAcpiTablesFile, acpi.tables);
  EXPECT_EQ(Load(AcpiSource::kFromHost).reason(), kAcpiMissing);
}

TEST_F(BootFilesTest, BoundsAcpi) {
  AddBoot();
  FakeAcpi acpi;
  acpi.rsdp.resize(4097);
  AddAcpi(acpi);
  EXPECT_EQ(Load(AcpiSource::kFromHost).reason(), kAcpiTooLarge);
}

}  // namespace
}  // namespace svsm
