// SPDX-License-Identifier: Apache-2.0
//
// CpuCore: the state of a Cpu, and what the replaced functions of the engine
// do (engine_wraps.cc). Private to machine/.
//
// Many functions here are called by the engine and may leave by siglongjmp
// (Raise(), LeaveEngine(), deliveries): they own nothing when they do.
#pragma once

#include <stdint.h>

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "machine/block_counter.h"
#include "machine/cpu.h"
#include "machine/engine.h"
#include "machine/mmu.h"

namespace machine {

inline constexpr uint8_t kVectorUndefined = 6;
inline constexpr uint8_t kVectorDoubleFault = 8;
inline constexpr uint8_t kVectorGeneralProtection = 13;
inline constexpr uint8_t kVectorPageFault = 14;
inline constexpr uint8_t kVectorVmmCommunication = 29;

// #VC error codes that sev/ghcb.h does not need. APM volume 2, appendix C.
inline constexpr uint32_t kExitReadDr7 = 0x27;
inline constexpr uint32_t kExitWriteDr7 = 0x37;
inline constexpr uint32_t kExitRdpmc = 0x6F;
inline constexpr uint32_t kExitInvd = 0x76;
inline constexpr uint32_t kExitVmmcall = 0x81;
inline constexpr uint32_t kExitWbinvd = 0x89;
inline constexpr uint32_t kExitMonitor = 0x8A;
inline constexpr uint32_t kExitMwait = 0x8B;
inline constexpr uint32_t kExitNpf = 0x400;

class CpuCore {
 public:
  CpuCore(Cpu& owner, const GuestMemory& memory, Rmp& rmp, CpuEvents& events,
          const CpuOptions& options)
      : cpu_(owner),
        memory_(memory),
        rmp_(rmp),
        events_(events),
        options_(options) {}
  ~CpuCore();
  CpuCore(const CpuCore&) = delete;
  CpuCore& operator=(const CpuCore&) = delete;

  absl::Status Open();
  StopReason Run(const RunLimits& limits);
  void LoadVmsa(std::span<const uint8_t, sev::kVmsaSize> vmsa);

  // The one whose Run() is innermost on this thread; null outside.
  static CpuCore* Current();

  // --- For engine_wraps.cc. `ra` is the return address into generated code.
  // `size`: bytes of the access.
  bool TlbFill(void* cs, uint64_t va, unsigned size, Access access,
               int mmu_index, bool probe, uintptr_t ra);
  void* fallback_region() const { return fallback_region_; }
  [[noreturn]] void RaiseVc(uint32_t error_code, uintptr_t ra);
  // True: done. False: the engine's own.
  bool ReadMsr(uintptr_t ra);
  bool WriteMsr(uintptr_t ra);
  void BeforeWriteCr(int which, uint64_t value, uintptr_t ra);
  void OnPause(uintptr_t ra);
  [[noreturn]] void OnHlt(int length);
  uint64_t ReadTsc() { return events_.ReadTsc(cpu_); }
  uint64_t Random() { return events_.Random64(cpu_); }
  BlockCounter& counter() { return counter_; }
  // The code in [first, end) was translated: stores to its pages shall look for
  // it, whatever address they go by.
  void KeepCodeClean(uint64_t first, uint64_t end);
  // `block` is where the next translated block would be.
  bool TranslationBufferIsFull(const void* block);
  // While a block is translated: whether the instruction at `pc` is one that
  // needs a block of its own, and what to do with it when it has one.
  bool IsSpecial(uint64_t pc);
  void TranslateSpecial(uint64_t pc);

  // --- State, for Cpu.
  const EngineState& state() const { return state_; }
  uint64_t rflags() const;
  uint64_t ghcb_msr = 0;
  uint64_t sev_status = 0;
  uint8_t vmpl = 0;
  std::deque<Injection> injections;
  uint64_t notify_at = ~uint64_t{0};
  void RequestStop(StopKind kind, std::string text);
  void Watch(uint64_t gpa, uint64_t size);
  void WatchShared();
  void UnwatchAll();
  void UpdateNextCheck();
  void ForgetCode() { flush_code_ = true; }
  Paging paging() const;
  std::optional<WalkResult> Look(uint64_t gva, Access access) const;
  std::vector<Frame> Backtrace() const;
  size_t ReadCode(uint64_t gva, base::MutableBytes out) const;

 private:
  // Hooks of the engine.
  static void OnBlockHook(uc_engine*, uint64_t pc, uint32_t size, void* self);
  static void OnInterruptHook(uc_engine*, uint32_t vector, void* self);
  static bool OnInvalidHook(uc_engine*, void* self);

  void OnBlock(uint64_t pc);
  void OnInterrupt(uint32_t vector);
  void OnInvalid();
  void Deliver(uint32_t vector);
  // Of an exception that came up while another one was being delivered, as far
  // as #VC is one of the two: the engine knows nothing of it.
  void CheckNested(uint32_t vector);
  // True, and the run ends: the engine does not know the instruction at RIP.
  bool StopIfEngineLacks();
  // What led to a triple fault, for people.
  void RememberException(uint32_t vector);
  std::string RecentExceptions() const;
  [[noreturn]] void DeliverInjection();
  void PushErrorCode(uint32_t error_code);
  bool EmulateSnpInstruction();
  void EmulatePageInstruction(bool pvalidate, int length);
  void Finish(int length);
  bool RegisterIs64Bit() const { return (state_.hflags() & kHflagsCs64) != 0; }

  [[noreturn]] void Raise(uint8_t vector, uint32_t error_code, uintptr_t ra);
  [[noreturn]] void RaisePageFault(uint64_t va, uint32_t error_code,
                                   uintptr_t ra);
  // Back to Run(), with RIP at the instruction that ra belongs to.
  [[noreturn]] void LeaveEngine(uintptr_t ra);
  // After any event: notices changes of the RMP.
  void AfterEvent();
  void FlushTlb();
  // The walk that an access makes; raises what it has to. Nothing if probing.
  std::optional<WalkResult> TranslateOrRaise(uint64_t va, Access access,
                                             bool user, bool smap, bool probe,
                                             uintptr_t ra);
  // Returns if the fault was mended; otherwise raises #VC or stops the run.
  void Fault(const NestedFault& fault, uintptr_t ra);
  void SetTlb(uint64_t va, const WalkResult& walk, Access access, bool user,
              int mmu_index);
  size_t PageIndex(uint64_t gpa) const;
  bool watched(const WalkResult& walk) const;
  StopReason MakeStopReason();

  Cpu& cpu_;
  const GuestMemory& memory_;
  Rmp& rmp_;
  CpuEvents& events_;
  const CpuOptions options_;

  uc_engine* engine_ = nullptr;
  EngineState state_;
  void* cs_ = nullptr;  // known from the first TLB fill on
  void* fallback_region_ = nullptr;

  // Why Run() shall return.
  bool stop_ = false;
  StopKind stop_kind_ = StopKind::kRequested;
  std::string stop_text_;
  NestedFault stop_fault_;
  bool trapped_ = false;     // the engine stopped for OnInvalid()
  bool left_ = false;        // or for LeaveEngine()
  bool flush_code_ = false;  // before it goes on

  std::optional<uint32_t> vc_error_;
  struct Recent {
    uint32_t vector = 0;
    uint64_t rip = 0, cr2 = 0;
    std::string code;
  };
  std::deque<Recent> recent_;           // exceptions, the last few
  std::optional<uint32_t> delivering_;  // the vector, until its handler starts
  uint64_t rmp_seen_ = 0;
  std::vector<bool> fetched_;  // by PageIndex()
  struct Range {
    uint64_t gpa, size;
  };
  std::vector<Range> watched_;
  bool watch_shared_ = false;

  const uint8_t* first_block_ = nullptr;  // since the buffer was empty
  BlockCounter counter_;
  uint64_t next_check_ = 0;  // of counter_.count()
  uint64_t limit_ = ~uint64_t{0};
  std::optional<std::chrono::steady_clock::time_point> deadline_;
};

}  // namespace machine
