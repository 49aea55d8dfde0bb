// SPDX-License-Identifier: Apache-2.0
//
// Cpu: one virtual CPU of an SEV-SNP guest, on QEMU's TCG as the Unicorn
// library carries it, with its MMU, its exceptions and the instructions that
// matter under SNP replaced by ours (engine.h). See README.md for what it is
// not.
//
// Not thread-safe. Cpus of one GuestMemory and Rmp take turns; a Cpu can be
// used after fork() in the child.
#pragma once

#include <stdint.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "machine/cpu_events.h"
#include "machine/memory.h"
#include "machine/rmp.h"
#include "machine/stop_reason.h"
#include "sev/vmsa.h"

namespace machine {

class CpuCore;  // cpu_core.h: what the replaced functions of the engine see

enum class Gpr : uint8_t {  // in the order of the instruction encoding
  kRax,
  kRcx,
  kRdx,
  kRbx,
  kRsp,
  kRbp,
  kRsi,
  kRdi,
  kR8,
  kR9,
  kR10,
  kR11,
  kR12,
  kR13,
  kR14,
  kR15,
};

struct CpuOptions {
  int c_bit = 51;
  // Guest physical address bits, the C-bit aside: a page table entry with
  // another bit of 51:phys_bits set is a reserved-bit #PF.
  int phys_bits = 48;
  const SymbolTable* symbols = nullptr;  // for backtraces; outlives the Cpu
};

// EVENTINJ as a hypervisor writes it: taken at the next block boundary whether
// or not RFLAGS.IF allows it. APM volume 2, 15.20.
struct Injection {
  uint8_t vector = 0;
  std::optional<uint32_t> error_code;  // pushed if given, whatever the vector
};

struct RunLimits {
  uint64_t instructions = 0;                // of this run; 0: no limit
  std::chrono::milliseconds wall_clock{0};  // 0: no limit
};

class Cpu {
 public:
  // `memory`, `rmp` and `events` outlive the Cpu.
  //   FailedPrecondition: the Unicorn library is not the one that this code
  //   knows the inside of; nothing was run.
  static absl::StatusOr<std::unique_ptr<Cpu>> Create(const GuestMemory& memory,
                                                     Rmp& rmp,
                                                     CpuEvents& events,
                                                     const CpuOptions& options);
  ~Cpu();
  Cpu(const Cpu&) = delete;
  Cpu& operator=(const Cpu&) = delete;

  // Sets every register that sev::vmsa_layout names. VMRUN's consistency checks
  // are not made. SEV_STATUS follows from SEV_FEATURES.
  void LoadVmsa(std::span<const uint8_t, sev::kVmsaSize> vmsa);

  // Runs until something stops it; may be called again to go on.
  StopReason Run(const RunLimits& limits = {});

  // From an event, or before Run(): makes Run() return kRequested, or `kind`.
  // The first reason stands.
  void Stop(std::string text);
  void StopAs(StopKind kind, std::string text);

  // Delivered in order, one at each block boundary.
  void Inject(const Injection& injection);

  // OnCount() once, at the first block boundary with instructions() >= count.
  void NotifyAt(uint64_t count);

  // OnWatchedAccess() before each data access to these pages. Slow.
  void Watch(uint64_t gpa, uint64_t size);
  // The same for each access with C=0, wherever it leads: what the host can
  // change. Whole-page lists would miss a page that nobody thought of.
  void WatchShared();
  void UnwatchAll();

  // Before the next Run(): code in private memory was changed, and not by this
  // Cpu, after it ran some of it.
  void ForgetCode();

  // --- Registers.
  uint64_t gpr(Gpr which) const;
  void set_gpr(Gpr which, uint64_t value);
  uint64_t rip() const;
  void set_rip(uint64_t value);
  uint64_t rflags() const;
  uint64_t cr(int which) const;  // 0, 2, 3, 4
  uint64_t efer() const;
  bool long_mode() const;  // 64-bit code is running
  uint64_t ghcb_msr() const;
  void set_ghcb_msr(uint64_t value);
  uint64_t sev_status() const;
  void set_sev_status(
      uint64_t value);  // a host cannot; a test of the image can
  uint8_t vmpl() const;

  // Executed so far. A repeated string instruction counts once an iteration.
  uint64_t instructions() const;

  // Where a virtual address leads, without side effects and without the RMP.
  struct Translation {
    uint64_t gpa = 0;
    bool c_bit = false;
  };
  std::optional<Translation> Translate(uint64_t gva) const;

  // Innermost first, by frame pointers.
  std::vector<Frame> Backtrace() const;

  Rmp& rmp() const { return rmp_; }

 private:
  explicit Cpu(Rmp& rmp);

  Rmp& rmp_;
  std::unique_ptr<CpuCore> core_;
};

}  // namespace machine
