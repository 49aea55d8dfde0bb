// SPDX-License-Identifier: Apache-2.0
#include "svsm/kernel_loader.h"

#include <stddef.h>

#include <array>

#include "base/bytes.h"
#include "base/secret_buffer.h"
#include "svsm/boot/image_symbols.h"
#include "svsm/boot/page_tables.h"
#include "svsm/fw_cfg/fw_cfg_dma.h"
#include "svsm/launch_area.h"
#include "svsm/linux/boot_params.h"
#include "svsm/linux/cc_blob.h"
#include "svsm/linux/reasons.h"
#include "svsm/memory/e820_file.h"
#include "svsm/memory/interval_set.h"
#include "svsm/memory/physical_window.h"
#include "svsm/platform/platform.h"
#include "svsm/platform/ports.h"
#include "svsm/platform/shared_area.h"
#include "svsm/platform/snp/reasons.h"
#include "svsm/runtime/static_storage.h"

namespace svsm {
namespace {

using base::Code;
using base::Status;

// Two exits a transfer: a kernel and an initrd of 32 MiB cost 256.
constexpr uint32_t kFwCfgBounceSize = 256 * 1024;

// The host may see it while it is open. Pages of its own: whatever else stood
// in one would be shared too.
alignas(kPageSize) constinit uint8_t fw_cfg_pages[kPageSize + kFwCfgBounceSize];
constinit SharedArea fw_cfg_area(fw_cfg_pages, sizeof(fw_cfg_pages));

constinit StaticStorage<FwCfg> fw_cfg_storage;

PhysicalWindow Memory() { return PhysicalWindow::Identity(kIdentityLimit); }

// Does not trap, as the window would. Nothing is at 0.
void WipeRam(uint64_t begin, uint64_t size) {
  if (begin == 0 || size == 0 || begin > kIdentityLimit) return;
  if (size > kIdentityLimit - begin) return;
  base::SecureZero(Memory().At(begin, size).data(), size);
}

uint64_t RoomForSecrets(const proto::Config& config) {
  uint64_t bytes = 0;
  for (const proto::Resource& resource : config.resources) {
    bytes += resource.max_size;
  }
  return RoomBehindInitrd(config.resources.size(), bytes);
}

}  // namespace

// A launch that left no memory map was that of a flat ROM.
Status KernelLoader::ReadHostMap(FwCfg& fw_cfg, StartInfo& start_info) {
  BASE_TRY_ASSIGN(const FwCfgFile file, fw_cfg.Find(kE820FileName));
  std::array<uint8_t, kMaxE820FileSize> bytes;
  if (file.size > bytes.size()) {
    return Status(Code::kResourceExhausted, kTooManyRanges);
  }
  const base::MutableBytes map = base::MutableBytes(bytes).first(file.size);
  BASE_TRY(fw_cfg.Read(file, map));
  BASE_TRY_ASSIGN(start_info.count, ReadE820File(map, start_info.entries));
  return {};
}

// All RAM that there is, before any of it is used or handed on.
Status KernelLoader::TakeMemory(const StartInfo& start_info) {
  const Range image{AddressOf(__image_start), AddressOf(__image_end)};
  BASE_TRY(map_.Accept(start_info.map(), image));
  std::array<Range, 3 * MemoryMap::kMaxRanges> ranges;
  BASE_TRY_ASSIGN(const size_t count, map_.MakeUnaccepted(ranges));
  for (const Range range : std::span(ranges).first(count)) {
    BASE_TRY(ThePlatform().Accept(range));
  }
  if (!OnSnp() || !map_.HasRomArea()) return {};
  // A host may have no RAM there, whatever its map says: not every kernel
  // cares.
  const Status rom = ThePlatform().Accept(MemoryMap::kRomArea);
  if (rom.reason() == kPageStateRefused) return {};
  BASE_TRY(rom);
  map_.WipeRomArea();
  return {};
}

Status KernelLoader::Load(StartInfo& start_info, const proto::Config& config,
                          base::Clock& clock) {
  BASE_TRY(fw_cfg_area.Open(ThePlatform()));
  // EDGE: the first page is the access structure's, which has no invariants.
  auto* const access = reinterpret_cast<FwCfgAccess*>(fw_cfg_pages);
  PortFwCfgDoorbell doorbell;
  FwCfgDma dma(
      {.access = access,
       .access_address = AddressOf(access),
       .bounce = OnSnp() ? base::MutableBytes(fw_cfg_pages).subspan(kPageSize)
                         : base::MutableBytes()},
      doorbell, clock);
  FwCfg& fw_cfg = fw_cfg_storage.Construct(dma);
  BASE_TRY(fw_cfg.Open());
  if (OnSnp() && start_info.count == 0) {
    BASE_TRY(ReadHostMap(fw_cfg, start_info));
  }
  BASE_TRY(TakeMemory(start_info));
  const AcpiSource acpi = config.acpi == proto::Acpi::kFromHost
                              ? AcpiSource::kFromHost
                              : AcpiSource::kNone;
  BASE_TRY(LoadBootFiles(fw_cfg, map_, Memory(), acpi, RoomForSecrets(config),
                         files_));
  return fw_cfg_area.Close(ThePlatform());
}

Status KernelLoader::Plan(const proto::Config& config) {
  std::array<SecretPlace, proto::kMaxResources> places;
  size_t count = 0;
  for (const proto::Resource& resource : config.resources) {
    places[count++] = {.kind = resource.kind == proto::ResourceKind::kLuks2
                                   ? SecretPlace::Kind::kDisk
                                   : SecretPlace::Kind::kFile,
                       .place = resource.place.view(),
                       .max_size = resource.max_size};
  }
  return PlanKernel(files_, map_, Memory(),
                    {.secrets = std::span(places).first(count),
                     .encryption_mask = ThePlatform().encryption_mask(),
                     .launch_pages = OnSnp()},
                    handover_);
}

Status KernelLoader::Fill(const proto::Config& config,
                          const attest::SecretSet* secrets,
                          std::span<const uint8_t, 32> rng_seed) {
  static_assert(proto::kMaxResources == 8);
  const std::array<uint8_t, 32> no_digest{};
  const DiskSecret none{.header_sha256 = no_digest};
  std::array<DiskSecret, 8> disks{none, none, none, none,
                                  none, none, none, none};
  std::array<FileSecret, 8> files{};
  size_t disk_count = 0;
  size_t file_count = 0;
  for (size_t i = 0; secrets != nullptr && i < config.resources.size(); ++i) {
    const proto::Resource& resource = config.resources[i];
    const attest::ReceivedSecret& secret = secrets->at(i);
    if (resource.kind == proto::ResourceKind::kLuks2) {
      DiskSecret& disk = disks[disk_count++];
      disk.volume = resource.place.view();
      disk.key = secret.value.RevealSecret();
      disk.header_length = secret.header_length;
      disk.header_sha256 = secret.header_sha256;
    } else {
      files[file_count++] = {.path = resource.place.view(),
                             .contents = secret.value.RevealSecret()};
    }
  }
  FillInput input{.disks = std::span(disks).first(disk_count),
                  .files = std::span(files).first(file_count),
                  .rng_seed = rng_seed};
  if (OnSnp()) input.launch_pages = LaunchPages{SecretsPage(), CpuidPage()};
  return FillKernel(files_, Memory(), input, handover_);
}

void KernelLoader::ClearSharedPages() { fw_cfg_area.Clear(); }

Status KernelLoader::CloseSharedPages() {
  return fw_cfg_area.Close(ThePlatform());
}

void KernelLoader::WipeKernelPages() {
  WipeRam(handover_.kept_pages, kKeptPagesSize);
  WipeRam(handover_.rng_seed, kRngSeedNodeSize);
}

// All the room there: whoever was interrupted in FillKernel() has not said yet
// how much of it there is to wipe.
void KernelLoader::WipeBehindInitrd() {
  const BootFile& file = files_.initrd;
  const uint64_t kept = file.length - files_.initrd_trailer;
  WipeRam(file.memory.begin + kept, file.memory.size() - kept);
}

}  // namespace svsm
