// SPDX-License-Identifier: Apache-2.0
//
// The inside of the Unicorn library as this machine uses it: functions of
// QEMU's x86 target that libunicorn.a happens to export, and where its CPU
// state keeps what. Nothing here is an interface that anybody promised: this is
// written for the packages of Debian 12 (2.0.1) and Debian 13 (2.1.1), and
// EngineState::Find() refuses any other. What differs between the two is in
// kEngine.
//
// The functions that are replaced (`ld --wrap`) are in engine_wraps.cc.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <unicorn/unicorn.h>

#include "absl/status/statusor.h"

// EDGE: every declaration below repeats one of Unicorn 2.0.1.post1 and 2.1.1
// (QEMU 5.0.1); no header of the package has them. `env` is CPUX86State*, `cs`
// is CPUState*. Those marked noreturn leave by siglongjmp: no frame between
// them and uc_emu_start() may own anything.
extern "C" {
[[noreturn]] void raise_exception_err_ra_x86_64(void* env, int index, int error,
                                                uintptr_t return_address);
[[noreturn]] void cpu_loop_exit_x86_64(void* cs);
bool cpu_restore_state_x86_64(void* cs, uintptr_t return_address,
                              bool will_exit);
void tlb_set_page_with_attrs_x86_64(void* cs, uint64_t va, uint64_t pa,
                                    uint32_t attributes, int protection,
                                    int mmu_index, uint64_t size);
// In the TLB entries of this page: stores need not ask for translated code.
void tlb_set_dirty_x86_64(void* cs, uint64_t va);
// The opposite, in every entry that leads to these bytes of the host's.
void tlb_reset_dirty_x86_64(void* cs, uint64_t host_address, uint64_t size);
void tlb_flush_x86_64(void* cs);
void x86_cpu_do_interrupt_x86_64(void* cs);
void do_interrupt_x86_hardirq_x86_64(void* env, int vector, int is_hardware);
}

namespace machine {

// What one version of the engine does otherwise than another.
struct EngineVersion {
  unsigned number;  // as uc_version() says it
  // features[]'s first two words after a start: CPUID 1, EDX and ECX.
  uint64_t start_1_edx, start_1_ecx;
  // Asks memory_mapping() for *virtual* addresses (engine_wraps.cc).
  bool maps_virtual_addresses;
  // Takes a page for free of code under every address but the one that it was
  // translated at (CpuCore::KeepCodeClean).
  bool forgets_aliases_of_code;
};
inline constexpr EngineVersion kEngine201 = {0x020001FF, 0x07088100, 0x02182200,
                                             true, false};
inline constexpr EngineVersion kEngine211 = {0x020101FF, 0x078BFBFD, 0x80002001,
                                             false, true};
// The one whose headers these are: header and library are one package.
#if UC_API_MAJOR == 2 && UC_API_MINOR == 0
#define FORELOCK_ENGINE_HAS_MEMORY_MAPPING 1
inline constexpr EngineVersion kEngine = kEngine201;
#else
inline constexpr EngineVersion kEngine = kEngine211;
#endif

// Where the shared backing is in the engine's physical address space: above all
// that a guest physical address can be here.
inline constexpr uint64_t kSharedAlias = uint64_t{1} << 46;
// And what C=0 reads of private pages give.
inline constexpr uint64_t kCiphertextAlias = uint64_t{1} << 45;

// For translated code; and how much of it is left when it counts as full: more
// than one block needs, which is some 64 KiB.
inline constexpr size_t kTranslationBuffer = size_t{16} << 20;
inline constexpr size_t kTranslationReserve = size_t{512} << 10;

// QEMU's PAGE_READ...
inline constexpr int kProtectionRead = 1;
inline constexpr int kProtectionWrite = 2;
inline constexpr int kProtectionExecute = 4;
// Its MMU modes: user, and supervisor with SMAP in force.
inline constexpr int kMmuUser = 1;
inline constexpr int kMmuSupervisorSmap = 0;

// A vector that no guest and no host uses: raised to get out of the engine.
inline constexpr int kLeaveVector = 31;

// env->segs[], ldt, tr, gdt, idt in this order.
struct EngineSegment {
  uint32_t selector;
  uint64_t base;
  uint32_t limit;
  uint32_t flags;  // as in the descriptor's upper half
};
static_assert(sizeof(EngineSegment) == 24);
enum EngineSegmentIndex { kEs, kCs, kSs, kDs, kFs, kGs, kLdt, kTr, kGdt, kIdt };

inline constexpr uint32_t kHflagsCplMask = 3;
inline constexpr uint32_t kHflagsInhibitIrq = 1 << 3;
inline constexpr uint32_t kHflagsCs32 = 1 << 4;
inline constexpr uint32_t kHflagsSs32 = 1 << 5;
inline constexpr uint32_t kHflagsAddSeg = 1 << 6;
inline constexpr uint32_t kHflagsPe = 1 << 7;
inline constexpr uint32_t kHflagsMpShift = 9;  // MP, EM, TS
inline constexpr uint32_t kHflagsIoplMask = 3 << 12;
inline constexpr uint32_t kHflagsLma = 1 << 14;
inline constexpr uint32_t kHflagsCs64 = 1 << 15;
inline constexpr uint32_t kHflagsOsfxsr = 1 << 22;
inline constexpr uint32_t kHflagsSmap = 1 << 23;

// CPUX86State through offsets that were found by writing and looking.
class EngineState {
 public:
  EngineState() = default;
  //   FailedPrecondition: something is not where it was found for the pinned
  //   library, or is there twice.
  static absl::StatusOr<EngineState> Find(uc_engine* engine);

  void* env() const { return env_; }
  uint64_t& gpr(int index) const { return words()[index]; }
  uint64_t& rip() const { return words()[16]; }
  uint32_t& hflags() const;
  EngineSegment& segment(EngineSegmentIndex index) const;
  uint64_t& cr(int index) const;
  uint64_t& efer() const;

 private:
  uint64_t* words() const { return static_cast<uint64_t*>(env_); }
  template <typename T>
  T& At(size_t offset) const;

  void* env_ = nullptr;
  size_t segments_ = 0;
  size_t efer_ = 0;
};

// Where __wrap_helper_rdmsr leaves `env` for EngineState::Find().
extern thread_local void* engine_env_seen;

}  // namespace machine
