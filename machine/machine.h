// SPDX-License-Identifier: Apache-2.0
//
// Machine: one SEV-SNP guest from its launch to its end: memory and reverse map
// table, CPU, hypervisor, devices and secure processor, in one thread.
#pragma once

#include <stdint.h>
#include <stdio.h>

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "launch/launch_plan.h"
#include "machine/cpu.h"
#include "machine/cpu_events.h"
#include "machine/devices.h"
#include "machine/ending.h"
#include "machine/exit_hook.h"
#include "machine/fw_cfg_device.h"
#include "machine/host_view.h"
#include "machine/hypervisor.h"
#include "machine/loader.h"
#include "machine/memory.h"
#include "machine/port_bus.h"
#include "machine/rmp.h"
#include "machine/stop_reason.h"
#include "machine/trace.h"
#include "psp/fault.h"
#include "psp/firmware.h"
#include "psp/hierarchy.h"
#include "psp/report_maker.h"

namespace machine {

// How far a kernel gets.
enum class KernelLimit : uint8_t {
  kEntry,       // Its first instruction is not executed.
  kPageTables,  // Up to its first own write to CR3.
  kNone,
};

// When the host assigns RAM to the guest that was not launched. What page state
// changes ask for, it always does.
enum class Assigning : uint8_t {
  // A page when the guest first needs it: QEMU on KVM, whose RAM is private
  // from the start.
  kOnTouch,
  // All of it before the first instruction, in entries of 2 MiB where whole
  // ones fit, or all in entries of 4 KiB.
  kAtStart,
  kAtStartIn4K,
  // Never otherwise: what the guest did not ask for is a violation.
  kOnRequest,
};

struct FwCfgFile {
  std::string name;
  std::vector<uint8_t> contents;
};

struct MachineOptions {
  launch::LaunchPlan plan;
  // `rom` follows from the plan.
  MemoryLayout memory{.below_4g = uint64_t{512} << 20};
  Assigning assigning = Assigning::kOnTouch;
  // An empty memory map or CPUID table is made from memory and hierarchy.
  LaunchOptions launch;
  HypervisorOptions hypervisor;
  const psp::Hierarchy* hierarchy = nullptr;  // Required; outlives the machine.
  psp::Fault firmware_fault = psp::Fault::kNone;
  psp::PlatformConfig platform;
  std::vector<FwCfgFile> fw_cfg;  // Besides etc/e820.
  SymbolTable symbols;            // For backtraces.

  std::function<void(char)> console;      // Besides Trace::console().
  std::function<void(uint8_t)> doorbell;  // Bytes of the proxy's port.
  // The guest polls: let others run. With the host's clock it should sleep.
  std::function<void()> on_pause;
  // RDTSC is the host's; else it follows the executed instructions, and each
  // PAUSE takes kPauseTicks.
  bool host_clock = false;
  uint64_t seed = 1;  // Of RDRAND and RDSEED.
  ExitHook* hook = nullptr;
  FILE* trace = nullptr;
  KernelLimit kernel_limit = KernelLimit::kEntry;
  RunLimits limits;
};

struct MachineResult {
  Ending ending;
  uint64_t instructions = 0;
  uint64_t kernel_entry = 0;        // 0: no kernel was entered.
  uint64_t kernel_boot_params = 0;  // Where RSI pointed then.
  bool kernel_page_tables = false;  // The kernel wrote CR3.
  // boot_params.cc_blob_address when it did: the kernel has found the blob.
  uint32_t kernel_cc_blob = 0;
  StopReason stop;
};

class Machine final : private CpuEvents,
                      private HostView,
                      private LaunchMemory {
 public:
  static constexpr uint64_t kPauseTicks = 50'000;
  // Of a clock of some 2.6 GHz to one of 3.58 MHz.
  static constexpr uint64_t kTscTicksOfAPmTick = 728;

  // Launches the guest.
  //   As Launch(), GuestMemory::Create() and Cpu::Create().
  static absl::StatusOr<std::unique_ptr<Machine>> Create(
      MachineOptions options);

  // Once, or again after kStopped to go on.
  MachineResult Run();

  // Ends the run at the end of the present exit.
  void End(Ending ending);

  // --- For tests and hooks.
  GuestMemory& memory() { return *memory_; }
  Rmp& rmp() { return rmp_; }
  Cpu& cpu() { return *cpu_; }
  Hypervisor& hypervisor() { return hypervisor_; }
  psp::Firmware& firmware() { return firmware_; }
  PortBus& ports() { return ports_; }
  FwCfgDevice& fw_cfg() { return fw_cfg_; }
  HostView& host() { return *this; }
  const Launched& launched() const { return launched_; }
  const Trace& trace() const { return trace_; }
  // Translations by which the guest read a private page through C=0.
  uint64_t ciphertext_reads() const { return ciphertext_reads_; }
  // Another CPU's events: they are handled as the first one's.
  CpuEvents& events() { return *this; }
  void set_hook(ExitHook* hook) { options_.hook = hook; }

 private:
  Machine(MachineOptions options, std::unique_ptr<GuestMemory> memory);
  absl::Status Start();
  void AddDevices();
  void AssignRest();
  bool AssignOnTouch(const NestedFault& fault);
  Ending EndingOf(const StopReason& stop) const;
  std::optional<Ending> Serve(Exit& exit);
  // The functions that lead to an exit, innermost first.
  std::string CallersOf(Cpu& cpu) const;

  // CpuEvents
  void OnVmgexit(Cpu& cpu) override;
  void OnPause(Cpu& cpu) override;
  void OnWriteCr3(Cpu& cpu, uint64_t value) override;
  void OnFetchPage(Cpu& cpu, uint64_t gpa) override;
  void OnWatchedAccess(Cpu& cpu, const WatchedAccess& access) override;
  void OnException(Cpu& cpu, uint8_t vector, uint32_t vc_error) override;
  void OnCount(Cpu& cpu) override;
  bool OnNestedFault(Cpu& cpu, const NestedFault& fault) override;
  void OnCiphertextRead(Cpu& cpu, const NestedFault& fault) override;
  uint64_t ReadTsc(Cpu& cpu) override;
  uint64_t Random64(Cpu& cpu) override;

  // HostView
  base::MutableBytes Shared(uint64_t gpa, uint64_t size) override;
  bool IsRam(uint64_t gpa, uint64_t size) const override;
  void MakePrivate(uint64_t gpa, uint64_t size, bool large) override;
  void MakeShared(uint64_t gpa, uint64_t size) override;

  // LaunchMemory
  bool LaunchPage(uint64_t gpa, PageBytes contents) override;

  MachineOptions options_;
  Trace trace_;
  std::unique_ptr<GuestMemory> memory_;
  Rmp rmp_;
  psp::Firmware firmware_;
  PortBus ports_;
  Uart16550 uart_;
  DebugConsole doorbell_;
  PciConfiguration pci_;
  PowerButton power_;
  InterruptController pic_[2];
  FwCfgDevice fw_cfg_;
  Hypervisor hypervisor_;
  Launched launched_;
  std::set<uint64_t> launched_pages_;
  std::unique_ptr<Cpu> cpu_;

  std::optional<Ending> ending_;
  MachineResult result_;
  uint64_t exits_ = 0;
  uint64_t pauses_ = 0;
  uint64_t ciphertext_reads_ = 0;
  uint64_t random_state_;
};

}  // namespace machine
