// SPDX-License-Identifier: Apache-2.0
//
// The image's first C++: makes the machine safe to run on, then boots.
#include <stdint.h>

#include <span>

#include "attest/reasons.h"
#include "base/result.h"
#include "base/version.h"
#include "proto/launch_note.h"
#include "svsm/boot/exceptions.h"
#include "svsm/boot/image_symbols.h"
#include "svsm/boot/paging.h"
#include "svsm/boot/start_info.h"
#include "svsm/boot_sequence.h"
#include "svsm/console/console.h"
#include "svsm/console/line.h"
#include "svsm/cpu/tsc_clock.h"
#include "svsm/hw/cpu.h"
#include "svsm/linux/reasons.h"
#include "svsm/memory/memory_map_page.h"
#include "svsm/memory/physical_window.h"
#include "svsm/panic/fail.h"
#include "svsm/platform/native_platform.h"
#include "svsm/platform/platform.h"
#include "svsm/platform/q35.h"
#include "svsm/platform/snp/snp_platform.h"
#include "svsm/reasons.h"
#include "svsm/runtime/runtime.h"
#include "svsm/runtime/static_storage.h"

// `start_info`: physical address of PVH's hvm_start_info. `entry`: an
// EntryPoint.
extern "C" [[noreturn]] void SvsmMain(uint32_t start_info, uint32_t entry);

namespace svsm {
namespace {

// What boot/entry.S maps.
constexpr uint64_t kFirstMapEnd = uint64_t{1} << 30;

constinit NativePlatform native_platform;
constinit StaticStorage<StartInfo> start_info_storage;
constinit StaticStorage<TscClock> clock_storage;
constinit StaticStorage<BootSequence> sequence_storage;
constinit BootSequence* sequence = nullptr;
constinit StaticStorage<SnpPlatform> snp_storage;

// The first line, so that it stands above whatever fails.
void OpenConsole() {
  console::Init();
  console::Print(Line() << "version " << base::VersionText());
}

// The console first: it needs nothing but ports.
void StartByPvh(uint32_t start_info, StartInfo& info) {
  OpenConsole();
  InstallExceptionHandlers();
  MaskInterruptControllers();
  const base::Status copied = ReadStartInfo(
      PhysicalWindow::Identity(kFirstMapEnd), kFirstMapEnd, start_info, info);
  InstallPageTables();
  InitRuntime();
  if (!copied.ok()) Fail(copied);
}

// Ports need the GHCB, and that the final page tables; what fails before ends
// in a termination request without a word.
void StartOnSnp(SnpPlatform& snp, StartInfo& info) {
  InstallExceptionHandlers();
  InstallPageTables();
  InitRuntime();
  const base::Status started = snp.Start();
  if (!started.ok()) Fail(started);
  OpenConsole();
  MaskInterruptControllers();
  SetUpQ35(snp);  // PVH has had firmware before.
  snp.EnableMtrrs();
  // EDGE: a page of the image that the launch filled.
  const std::span<const uint8_t, proto::kMemoryMapPageSize> page(
      reinterpret_cast<const uint8_t*>(__snp_memory_map_page),
      proto::kMemoryMapPageSize);
  const base::Result<size_t> count = ReadMemoryMapPage(page, info.entries);
  // The launch of a flat ROM leaves none: BootSequence asks fw_cfg.
  if (!count.ok() && count.status().reason() != kNoMemoryMap) {
    Fail(count.status());
  }
  info.count = count.ok() ? *count : 0;
}

}  // namespace
}  // namespace svsm

void SvsmMain(uint32_t start_info, uint32_t entry) {
  using namespace svsm;
  SnpPlatform* snp = nullptr;
  if (entry == static_cast<uint32_t>(EntryPoint::kSnp)) {
    snp = &snp_storage.Construct();
    SetPlatform(*snp);
  } else {
    SetPlatform(native_platform);
  }
  TscClock& clock = clock_storage.Construct(hw::ReadTsc, hw::Pause);
  StartInfo& info = start_info_storage.Construct();
  if (snp != nullptr) {
    StartOnSnp(*snp, info);
  } else {
    StartByPvh(start_info, info);
  }

  sequence = &sequence_storage.Construct(info, clock);
  last_acts = {
      .allow_last_word = [] { sequence->AllowLastWord(); },
      .clear_shared_pages = [] { sequence->ClearSharedPages(); },
      .wipes = {[] { sequence->WipeVmpck0(); },
                [] { sequence->WipeSecretsPage(); },
                [] { sequence->WipeKernelSeed(); },
                [] { sequence->WipeSession(); }, [] { WipeHeap(); },
                [] { sequence->WipeRng(); }, [] { WipeStack(); },
                [] { sequence->WipeKernelPages(); },
                [] { sequence->WipeBehindInitrd(); }},
      .report = [](base::Status why) { sequence->ReportFailure(why); }};
  const base::Status end = sequence->Run();
  // A refusal has its own line, and the proxy has been told.
  if (end.reason() == attest::kRefusedByVerifier) PowerOff();
  Fail(end);
}
