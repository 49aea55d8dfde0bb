// SPDX-License-Identifier: Apache-2.0
//
// A guest that is the loader alone: no configuration, no attestation. It hands
// Linux what fw_cfg offers, with secrets that tests/handover knows, so that the
// way out can be tested by itself. ACPI from the host if it offers
// opt/test/acpi.
//
// Must never run where a secret is at stake: it starts any kernel.
#include <stddef.h>
#include <stdint.h>

#include <array>

#include "base/result.h"
#include "base/secret_buffer.h"
#include "base/time.h"
#include "crypto/aes_gcm.h"
#include "sev/guest_message.h"
#include "sev/secrets_page.h"
#include "svsm/boot/exceptions.h"
#include "svsm/boot/image_symbols.h"
#include "svsm/boot/paging.h"
#include "svsm/boot/start_info.h"
#include "svsm/console/console.h"
#include "svsm/console/line.h"
#include "svsm/cpu/tsc_clock.h"
#include "svsm/fw_cfg/fw_cfg.h"
#include "svsm/fw_cfg/fw_cfg_dma.h"
#include "svsm/hw/cpu.h"
#include "svsm/linux/boot_files.h"
#include "svsm/linux/handover.h"
#include "svsm/linux/leave.h"
#include "svsm/memory/memory_map.h"
#include "svsm/memory/physical_window.h"
#include "svsm/panic/fail.h"
#include "svsm/platform/guest_request/guest_request.h"
#include "svsm/platform/native_platform.h"
#include "svsm/platform/platform.h"
#include "svsm/platform/ports.h"
#include "svsm/runtime/runtime.h"
#include "svsm/runtime/static_storage.h"
#include "svsm/testing/boot_permit_for_tests.h"

extern "C" [[noreturn]] void SvsmMain(uint32_t start_info);

namespace svsm {
namespace {

constexpr uint64_t kFirstMapEnd = uint64_t{1} << 30;
constexpr uint64_t kMapEnd = uint64_t{4} << 30;

constinit StaticStorage<StartInfo> start_info_storage;
constinit StaticStorage<TscClock> clock_storage;
constinit StaticStorage<FwCfg> fw_cfg_storage;
constinit StaticStorage<FwCfgDma> dma_storage;
constinit StaticStorage<PortFwCfgDoorbell> doorbell_storage;
constinit StaticStorage<MemoryMap> map_storage;
constinit StaticStorage<BootFiles> files_storage;
constinit FwCfgAccess access = {};
constinit NativePlatform platform;

// tests/handover/secrets.py has the same rule. Computed, so that the image
// file does not hold them.
template <size_t kSize>
std::array<uint8_t, kSize> Pattern(uint32_t seed) {
  std::array<uint8_t, kSize> out;
  for (uint8_t& byte : out) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(seed >> 24);
  }
  return out;
}

class NoSecureProcessor final : public GuestRequestDoorbell {
 public:
  base::Result<uint64_t> Exchange(sev::ConstMessagePage, sev::MessagePage,
                                  base::Instant) override {
    return base::Status(base::Code::kUnavailable, kFwCfgAbsent);
  }
};

base::Status Run(const StartInfo& info, TscClock& clock) {
  MemoryMap& map = map_storage.Construct();
  // EDGE: symbols of image.ld; only the addresses are used.
  BASE_TRY(map.Accept(info.map(),
                      {AddressOf(__image_start), AddressOf(__image_end)}));
  const FwCfgDma::Config config{
      .access = &access,
      // EDGE: memory is identity-mapped.
      .access_address = reinterpret_cast<uintptr_t>(&access),
  };
  FwCfg& fw_cfg = fw_cfg_storage.Construct(
      dma_storage.Construct(config, doorbell_storage.Construct(), clock));
  BASE_TRY(fw_cfg.Open());
  const AcpiSource acpi = fw_cfg.Find("opt/test/acpi").ok()
                              ? AcpiSource::kFromHost
                              : AcpiSource::kNone;

  const auto window = PhysicalWindow::Identity(kMapEnd);
  BootFiles& files = files_storage.Construct();
  BASE_TRY(LoadBootFiles(fw_cfg, map, window, acpi, RoomBehindInitrd(2, 1024),
                         files));
  console::PrintTimed(static_cast<uint64_t>(clock.Now()),
                      Line() << "copied and hashed");
  for (const BootFile* file :
       {&files.kernel, &files.initrd, &files.cmdline, &files.acpi[0],
        &files.acpi[1], &files.acpi[2]}) {
    console::Print(Line() << file->name << " " << file->length << " sha384:");
    console::Print(Line().HexBytes(file->sha384));
  }

  const auto key = Pattern<64>(1);
  const auto content = Pattern<300>(2);
  const auto digest = Pattern<32>(3);
  const auto seed = Pattern<32>(4);
  BASE_TRY_ASSIGN(sev::Vmpck vmpck,
                  sev::Vmpck::CopyFrom(Pattern<sev::kVmpckSize>(5)));
  NoSecureProcessor doorbell;
  GuestRequestDriver driver(std::move(vmpck), doorbell, clock,
                            base::Milliseconds{1});
  const DiskSecret disk{"root", key, 294912, digest};
  const FileSecret file{"/etc/forelock-test/secret", content};
  Handover handover;
  const SecretPlace places[] = {
      {SecretPlace::Kind::kDisk, disk.volume, disk.key.size()},
      {SecretPlace::Kind::kFile, file.path, file.contents.size()}};
  BASE_TRY(PlanKernel(files, map, window, {.secrets = places}, handover));
  BASE_TRY(FillKernel(
      files, window,
      {.disks = {&disk, 1}, .files = {&file, 1}, .rng_seed = seed}, handover));
  Line entry;
  entry << "entry ";
  console::PrintTimed(static_cast<uint64_t>(clock.Now()),
                      entry.Hex(handover.entry));
  console::Flush();
  // EDGE: as if AES-NI had left round keys here; Leave() must clear them.
  asm volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm15, %%xmm15" ::);
  Leave(handover, driver.Destroy(), BootPermitForTests::Make());
}

}  // namespace
}  // namespace svsm

void SvsmMain(uint32_t start_info) {
  using namespace svsm;
  TscClock& clock = clock_storage.Construct(hw::ReadTsc, hw::Pause);
  SetPlatform(platform);
  console::Init();
  InstallExceptionHandlers();
  MaskInterruptControllers();
  StartInfo& info = start_info_storage.Construct();
  const base::Status copied = ReadStartInfo(
      PhysicalWindow::Identity(kFirstMapEnd), kFirstMapEnd, start_info, info);
  InstallPageTables();
  InitRuntime();
  if (!copied.ok()) Fail(copied);
  Fail(Run(info, clock));
}
