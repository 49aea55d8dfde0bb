// SPDX-License-Identifier: Apache-2.0
//
// boot::LeastMemory() against the loader itself: no VM that loads a kernel has
// less than it says. The owner's tools warn by that number, and must not warn
// of what works.
#include <stdint.h>

#include <vector>

#include "base/reasons.h"
#include "base/result.h"
#include "boot/rules.h"
#include "gtest/gtest.h"
#include "svsm/fw_cfg/fake_fw_cfg.h"
#include "svsm/fw_cfg/fw_cfg.h"
#include "svsm/linux/boot_files.h"
#include "svsm/linux/bzimage.h"
#include "svsm/linux/fake_kernel.h"
#include "svsm/linux/handover.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"

namespace svsm {
namespace {

using Blob = std::vector<uint8_t>;

constexpr uint64_t kMiB = 1 << 20;
constexpr Range kImage{2 * kMiB, 3 * kMiB};

base::Status Load(const Blob& kernel, const Blob& initrd,
                  uint64_t memory_size) {
  Blob memory(memory_size);
  const auto window = PhysicalWindow::Over(memory, 0);
  FakeFwCfg device;
  device.AddFile(kKernelFile, kernel);
  device.AddFile(kInitrdFile, initrd);
  MemoryMap map;
  BASE_TRY(
      map.Accept({{{0, 0x9FC00, 1}, {kMiB, memory_size - kMiB, 1}}}, kImage));
  FwCfg fw_cfg(device);
  BASE_TRY(fw_cfg.Open());
  BootFiles files;
  BASE_TRY(LoadBootFiles(fw_cfg, map, window, AcpiSource::kNone, 0, files));
  Handover handover;
  return PlanKernel(files, map, window, {}, handover);
}

TEST(LeastMemory, IsNeverMoreThanWhatTheLoaderNeeds) {
  for (const uint64_t preferred : {2 * kMiB, 16 * kMiB}) {
    for (const uint64_t init_size : {kMiB, 6 * kMiB}) {
      auto kernel = FakeKernel(kMiB / 2);
      Poke<uint64_t>(kernel, 0x258, preferred);
      Poke<uint32_t>(kernel, 0x260, static_cast<uint32_t>(init_size));
      const auto image = ParseBzImage(kernel);
      ASSERT_TRUE(image.ok());
      for (const uint64_t initrd : {kMiB, 4 * kMiB}) {
        const uint64_t least =
            boot::LeastMemory(*image, {.kernel_file = kernel.size(),
                                       .initrd = initrd,
                                       .svsm = kImage.end - kImage.begin});
        const uint64_t whole = least / kMiB * kMiB;
        EXPECT_FALSE(Load(kernel, Blob(initrd), whole - kMiB).ok()) << least;
        // And it is no idle word: with some room for what lies in between it
        // loads.
        const base::Status status =
            Load(kernel, Blob(initrd), whole + 16 * kMiB);
        EXPECT_TRUE(status.ok())
            << least << ": " << base::NameOf(status.reason()).text;
      }
    }
  }
}

}  // namespace
}  // namespace svsm
