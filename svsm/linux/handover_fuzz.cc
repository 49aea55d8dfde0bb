// SPDX-License-Identifier: Apache-2.0
//
// The whole way from fw_cfg files to a prepared kernel, over a host that is
// free in everything. The input is a little-endian u16, that many bytes of
// command line, and a kernel. A trap (PhysicalWindow's, say) is a finding.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "svsm/fw_cfg/fake_fw_cfg.h"
#include "svsm/fw_cfg/fw_cfg.h"
#include "svsm/linux/boot_files.h"
#include "svsm/linux/fake_acpi.h"
#include "svsm/linux/fake_kernel.h"
#include "svsm/linux/handover.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"
#include "tools/fuzz_seed.h"

namespace {

// Little: each kernel's place is written up to its init_size.
constexpr size_t kMemory = size_t{20} << 20;
constexpr svsm::Range kImage{0x200000, 0x300000};
constexpr svsm::HostMapEntry kMap[] = {
    {0, 0x9FC00, 1},
    {0x100000, kMemory - 0x100000, 1},
    {0x100000000, 0x40000000, 1},
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static auto& memory = *new std::vector<uint8_t>(kMemory);
  base::ByteReader in({data, size});
  const auto line_size = in.U16();
  if (!line_size.ok()) return 0;
  const auto line = in.Take(*line_size);
  if (!line.ok()) return 0;
  const base::Bytes kernel = *in.Take(in.remaining());

  svsm::FakeFwCfg device;
  const svsm::FakeAcpi acpi;
  device.AddFile(svsm::kKernelFile, {kernel.begin(), kernel.end()});
  device.AddFile(svsm::kInitrdFile, std::vector<uint8_t>(100, 1));
  device.AddFile(svsm::kCmdlineFile, {line->begin(), line->end()});
  device.AddFile(svsm::kAcpiRsdpFile, acpi.rsdp);
  device.AddFile(svsm::kAcpiTablesFile, acpi.tables);
  device.AddFile(svsm::kAcpiLoaderFile, acpi.loader);

  const auto window = svsm::PhysicalWindow::Over(memory, 0);
  svsm::MemoryMap map;
  const auto fw_cfg = std::make_unique<svsm::FwCfg>(device);
  svsm::BootFiles files;
  if (!map.Accept(kMap, kImage).ok() || !fw_cfg->Open().ok() ||
      !svsm::LoadBootFiles(*fw_cfg, map, window, svsm::AcpiSource::kFromHost,
                           svsm::RoomBehindInitrd(1, 64), files)
           .ok()) {
    return 0;
  }
  const std::array<uint8_t, 32> seed{};
  const svsm::FileSecret secret{"/etc/key", seed};
  const svsm::SecretPlace place{svsm::SecretPlace::Kind::kFile, secret.path,
                                64};
  svsm::Handover handover;
  if (!svsm::PlanKernel(files, map, window, {.secrets = {&place, 1}}, handover)
           .ok()) {
    return 0;
  }
  if (handover.entry >= kMemory) __builtin_trap();
  // What was planned cannot fail.
  const base::Status filled = svsm::FillKernel(
      files, window, {.files = {&secret, 1}, .rng_seed = seed}, handover);
  if (!filled.ok()) __builtin_trap();
  return 0;
}

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* out,
                                   size_t capacity) {
  if (index > 1) return 0;
  constexpr std::string_view kLine = "console=ttyS0 quiet";
  auto kernel = svsm::FakeKernel(0x400);
  svsm::Poke<uint8_t>(kernel, 0x1F1, 1);
  svsm::Poke<uint32_t>(kernel, 0x260, 0x100000);
  if (index == 1) svsm::Poke<uint64_t>(kernel, 0x258, 0x100000000);
  kernel.resize(2 * 512 + 0x400);
  const size_t size = 2 + kLine.size() + kernel.size();
  if (size > capacity) return 0;
  out[0] = static_cast<uint8_t>(kLine.size());
  out[1] = 0;
  memcpy(out + 2, kLine.data(), kLine.size());
  memcpy(out + 2 + kLine.size(), kernel.data(), kernel.size());
  return size;
}
