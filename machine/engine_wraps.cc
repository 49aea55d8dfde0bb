// SPDX-License-Identifier: Apache-2.0
//
// The functions of the engine that the linker replaces: `--wrap=F` makes its
// calls of F come to __wrap_F here, and __real_F is the engine's own. The list
// of names is ENGINE_WRAPS in the BUILD file.
//
// EDGE: every signature repeats Unicorn 2.0.1.post1's and 2.1.1's (QEMU 5.0.1);
// a function that is missing there does not link.
#include <array>

#include "machine/cpu_core.h"
#include "machine/engine.h"
#include "sev/ghcb.h"

namespace {

using machine::Access;
using machine::CpuCore;

// Where in the generated code the helper was called from, as GETPC() of QEMU.
#define RETURN_ADDRESS         \
  reinterpret_cast<uintptr_t>( \
      __builtin_extract_return_addr(__builtin_return_address(0)))

// QEMU's DisasContextBase and TranslatorOps.
struct TranslationContext {
  void* block;
  uint64_t pc_first;
  uint64_t pc_next;
  int is_jump;
  int instructions;  // the current one included
  int max_instructions;
};
using TranslatorFunction = void (*)(TranslationContext*, void* cs);
using TranslatorOps = std::array<TranslatorFunction, 6>;
inline constexpr size_t kTranslateInstruction = 4;

thread_local TranslatorFunction real_translate = nullptr;

void TranslateInstruction(TranslationContext* context, void* cs) {
  CpuCore* const core = CpuCore::Current();
  const uint64_t pc = context->pc_next;
  if (context->instructions == 1) core->TranslateSpecial(pc);  // may not return
  core->counter().AddInstruction(pc);
  real_translate(context, cs);
  // What must be the first of its block ends this one.
  if (core->IsSpecial(context->pc_next)) {
    context->max_instructions = context->instructions;
  }
}

}  // namespace

extern "C" {

void __real_translator_loop_x86_64(const TranslatorOps*, TranslationContext*,
                                   void*, void*, int);
void __wrap_translator_loop_x86_64(const TranslatorOps* ops,
                                   TranslationContext* context, void* cs,
                                   void* block, int max_instructions) {
  CpuCore* const core = CpuCore::Current();
  if (core == nullptr) {
    __real_translator_loop_x86_64(ops, context, cs, block, max_instructions);
    return;
  }
  TranslatorOps ours = *ops;
  real_translate = ours[kTranslateInstruction];
  ours[kTranslateInstruction] = TranslateInstruction;
  // The first field of the block is its address.
  core->counter().BeginBlock(*static_cast<const uint64_t*>(block));
  __real_translator_loop_x86_64(&ours, context, cs, block, max_instructions);
  core->counter().EndBlock(context->pc_next);
  if (machine::kEngine.forgets_aliases_of_code) {
    core->KeepCodeClean(context->pc_first, context->pc_next);
  }
}

// The buffer for translated code: the engine would take 1 GiB, and clears all
// of it at the start and at each flush. A guest fills some 10 MiB, a kernel far
// more; a full buffer is flushed.
void __real_tcg_exec_init_x86_64(void* engine, unsigned long size);
void __wrap_tcg_exec_init_x86_64(void* engine, unsigned long /*size*/) {
  __real_tcg_exec_init_x86_64(engine, machine::kTranslationBuffer);
}

// The engine notices a full buffer the second time only: the first time it
// clears it and goes on, with all tables and jumps into what was there. Null
// makes it flush as it should.
void* __real_tcg_tb_alloc_x86_64(void* context);
void* __wrap_tcg_tb_alloc_x86_64(void* context) {
  void* const block = __real_tcg_tb_alloc_x86_64(context);
  CpuCore* const core = CpuCore::Current();
  return core != nullptr && core->TranslationBufferIsFull(block) ? nullptr
                                                                 : block;
}

bool __wrap_x86_cpu_tlb_fill_x86_64(void* cs, uint64_t va, int size, int access,
                                    int mmu_index, bool probe, uintptr_t ra) {
  return CpuCore::Current()->TlbFill(cs, va, static_cast<unsigned>(size),
                                     static_cast<Access>(access), mmu_index,
                                     probe, ra);
}

#ifdef FORELOCK_ENGINE_HAS_MEMORY_MAPPING
// 2.0.1 asks for the memory region of a *virtual* address, only to look at its
// permissions: any region of RAM will do. 2.1.1 asks for the physical one.
void* __real_memory_mapping(void* engine, uint64_t address);
void* __wrap_memory_mapping(void* engine, uint64_t address) {
  CpuCore* const core = CpuCore::Current();
  return core != nullptr ? core->fallback_region()
                         : __real_memory_mapping(engine, address);
}
#endif

void __real_helper_rdmsr_x86_64(void* env);
void __wrap_helper_rdmsr_x86_64(void* env) {
  CpuCore* const core = CpuCore::Current();
  machine::engine_env_seen = env;
  if (core == nullptr || !core->ReadMsr(RETURN_ADDRESS)) {
    __real_helper_rdmsr_x86_64(env);
  }
}

void __real_helper_wrmsr_x86_64(void* env);
void __wrap_helper_wrmsr_x86_64(void* env) {
  CpuCore* const core = CpuCore::Current();
  if (core == nullptr || !core->WriteMsr(RETURN_ADDRESS)) {
    __real_helper_wrmsr_x86_64(env);
  }
}

void __real_helper_write_crN_x86_64(void* env, int which, uint64_t value);
void __wrap_helper_write_crN_x86_64(void* env, int which, uint64_t value) {
  CpuCore::Current()->BeforeWriteCr(which, value, RETURN_ADDRESS);
  __real_helper_write_crN_x86_64(env, which, value);
}

void __real_helper_pause_x86_64(void* env, int length);
void __wrap_helper_pause_x86_64(void* env, int length) {
  CpuCore::Current()->OnPause(RETURN_ADDRESS);
  __real_helper_pause_x86_64(env, length);
}

void __wrap_helper_hlt_x86_64(void* /*env*/, int length) {
  CpuCore::Current()->OnHlt(length);
}

void __wrap_helper_rdtsc_x86_64(void* /*env*/) {
  CpuCore* const core = CpuCore::Current();
  const uint64_t tsc = core->ReadTsc();
  core->state().gpr(0) = static_cast<uint32_t>(tsc);
  core->state().gpr(2) = tsc >> 32;
}
void __wrap_helper_rdtscp_x86_64(void* env) {
  __wrap_helper_rdtsc_x86_64(env);
  CpuCore::Current()->state().gpr(1) = 0;  // TSC_AUX
}

// RDSEED too. The engine's own sets CF.
uint64_t __real_helper_rdrand_x86_64(void* env);
uint64_t __wrap_helper_rdrand_x86_64(void* env) {
  __real_helper_rdrand_x86_64(env);
  return CpuCore::Current()->Random();
}

// --- What a hypervisor under SNP intercepts, as KVM does: the guest gets #VC.

void __wrap_helper_cpuid_x86_64(void* /*env*/) {
  CpuCore::Current()->RaiseVc(sev::kExitCpuid, RETURN_ADDRESS);
}
#define WRAP_PORT(suffix)                                              \
  void __wrap_helper_out##suffix##_x86_64(void*, uint32_t, uint32_t) { \
    CpuCore::Current()->RaiseVc(sev::kExitIoio, RETURN_ADDRESS);       \
  }                                                                    \
  uint64_t __wrap_helper_in##suffix##_x86_64(void*, uint32_t) {        \
    CpuCore::Current()->RaiseVc(sev::kExitIoio, RETURN_ADDRESS);       \
  }
WRAP_PORT(b)
WRAP_PORT(w)
WRAP_PORT(l)
#undef WRAP_PORT
void __wrap_helper_rdpmc_x86_64(void* /*env*/) {
  CpuCore::Current()->RaiseVc(machine::kExitRdpmc, RETURN_ADDRESS);
}
void __wrap_helper_monitor_x86_64(void* /*env*/, uint64_t /*address*/) {
  CpuCore::Current()->RaiseVc(machine::kExitMonitor, RETURN_ADDRESS);
}
void __wrap_helper_mwait_x86_64(void* /*env*/, int /*length*/) {
  CpuCore::Current()->RaiseVc(machine::kExitMwait, RETURN_ADDRESS);
}
void __real_helper_set_dr_x86_64(void* env, int which, uint64_t value);
void __wrap_helper_set_dr_x86_64(void* env, int which, uint64_t value) {
  if (which == 7) {
    CpuCore::Current()->RaiseVc(machine::kExitWriteDr7, RETURN_ADDRESS);
  }
  __real_helper_set_dr_x86_64(env, which, value);
}
uint64_t __real_helper_get_dr_x86_64(void* env, int which);
uint64_t __wrap_helper_get_dr_x86_64(void* env, int which) {
  if (which == 7) {
    CpuCore::Current()->RaiseVc(machine::kExitReadDr7, RETURN_ADDRESS);
  }
  return __real_helper_get_dr_x86_64(env, which);
}

}  // extern "C"
