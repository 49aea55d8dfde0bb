// SPDX-License-Identifier: Apache-2.0
//
// Whatever a guest puts into its GHCB page: the hypervisor answers, or ends the
// run. The input is the page, and which fields its bitmap names.
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "machine/cpuid_table.h"
#include "machine/devices.h"
#include "machine/fake_host_view.h"
#include "machine/fw_cfg_device.h"
#include "machine/hypervisor.h"
#include "psp/firmware.h"
#include "psp/testing.h"
#include "sev/ghcb.h"
#include "tools/fuzz_seed.h"

namespace machine {
namespace {

namespace g = sev::ghcb_layout;

constexpr uint64_t kGhcb = 0x4000;

struct World {
  World() {
    ports.Add(kCom1, Uart16550::kPorts, uart);
    ports.Add(FwCfgDevice::kBase, FwCfgDevice::kPorts, fw_cfg);
    ports.Add(PciConfiguration::kBase, PciConfiguration::kPorts, pci);
    fw_cfg.AddFile("etc/file", {1, 2, 3});
    firmware.Launch(sev::LaunchDigest{});
  }
  FakeHostView memory{1 << 20};
  PortBus ports;
  Uart16550 uart{[](char) {}};
  PciConfiguration pci;
  FwCfgDevice fw_cfg{memory, [](uint64_t) {}};
  psp::Firmware firmware{psp::TestHierarchy()};
  Hypervisor hypervisor{{.cpuid = MakeCpuidTable(psp::kMilan),
                         .certificates = std::vector<uint8_t>(5000)},
                        memory,
                        ports,
                        firmware};
};

// Field values that reach the interesting places.
void Seed(uint8_t* page, uint64_t code, uint64_t info1, uint64_t info2) {
  GhcbPage ghcb(std::span<uint8_t, sev::kGhcbSize>(page, sev::kGhcbSize));
  ghcb.Set<g::SwExitCode>(code);
  ghcb.Set<g::SwExitInfo1>(info1);
  ghcb.Set<g::SwExitInfo2>(info2);
  ghcb.Set<g::SwScratch>(kGhcb + g::SharedBuffer::kOffset);
  ghcb.Set<g::Rax>(0x8000);
  ghcb.Set<g::Rbx>(2);
  ghcb.Set<g::Rcx>(0);
  ghcb.Set<g::Rdx>(0);
  sev::PutLe<uint16_t, g::ProtocolVersion>(2, ghcb.bytes());
}

}  // namespace
}  // namespace machine

extern "C" size_t ForelockFuzzSeed(size_t index, uint8_t* data,
                                   size_t capacity) {
  using machine::Seed;
  constexpr struct {
    uint64_t code, info1, info2;
  } kSeeds[] = {
      {sev::kExitCpuid, 0, 0},
      {sev::kExitIoio, 0x3F8 << 16 | sev::kIoioSize8, 0},
      {sev::kExitIoio, 0x518 << 16 | sev::kIoioSize32, 0},
      {sev::kExitIoio, 0xCF8 << 16 | sev::kIoioSize32 | sev::kIoioIn, 0},
      {sev::kExitMsr, 1, 0},
      {0x80000001, 0xFEE00030, 4},
      {sev::kExitPageStateChange, 0, 0},
      {sev::kExitGuestRequest, 0x5000, 0x6000},
      {sev::kExitExtendedGuestRequest, 0x5000, 0x6000},
  };
  if (index >= std::size(kSeeds) || capacity < sev::kGhcbSize) return 0;
  memset(data, 0, sev::kGhcbSize);
  Seed(data, kSeeds[index].code, kSeeds[index].info1, kSeeds[index].info2);
  return sev::kGhcbSize;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace machine;
  static auto* const world = new World;
  for (const uint64_t page : std::set(world->memory.is_private)) {
    world->memory.MakeShared(page, kPageSize);
  }
  Exit registration{.msr = kGhcb | sev::kMsrRegisterGhcbRequest};
  (void)world->hypervisor.Serve(registration);
  const base::MutableBytes page = world->memory.Shared(kGhcb, kPageSize);
  memset(page.data(), 0, page.size());
  std::copy_n(data, std::min<size_t>(size, page.size()), page.begin());
  Exit exit{.msr = kGhcb};
  std::optional<Ending> ending = world->hypervisor.Identify(exit);
  if (!ending.has_value()) (void)world->hypervisor.Serve(exit);
  return 0;
}
