// SPDX-License-Identifier: Apache-2.0
//
// Running: the engine's loop, its hooks, exceptions and injections.
#include "machine/cpu_core.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "machine/engine_lacks.h"

namespace machine {
namespace {

// The clock is looked at this often.
inline constexpr uint64_t kInstructionsPerLook = 4'000'000;

thread_local CpuCore* current = nullptr;

absl::Status EngineFailed(std::string_view what, uc_err error) {
  return absl::FailedPreconditionError(
      absl::StrCat("unicorn: ", what, ": ", uc_strerror(error)));
}

}  // namespace

#ifdef FORELOCK_ENGINE_HAS_MEMORY_MAPPING
extern "C" void* __real_memory_mapping(void* engine, uint64_t address);
#endif

CpuCore* CpuCore::Current() { return current; }

CpuCore::~CpuCore() {
  if (engine_ != nullptr) uc_close(engine_);
}

absl::Status CpuCore::Open() {
  uc_err error = uc_open(UC_ARCH_X86, UC_MODE_64, &engine_);
  if (error != UC_ERR_OK) return EngineFailed("open", error);
  // The backings at addresses of their own; which one an access reaches is
  // decided in SetTlb().
  uint64_t pages = 0;
  for (const MemoryRange& range : memory_.ranges()) {
    pages += range.size / kPageSize;
    error = uc_mem_map_ptr(engine_, range.gpa, range.size, UC_PROT_ALL,
                           range.private_bytes);
    if (error != UC_ERR_OK) return EngineFailed("private memory", error);
    error = uc_mem_map_ptr(engine_, range.gpa + kSharedAlias, range.size,
                           UC_PROT_ALL, range.shared_bytes);
    if (error != UC_ERR_OK) return EngineFailed("shared memory", error);
    error = uc_mem_map_ptr(engine_, range.gpa + kCiphertextAlias, range.size,
                           UC_PROT_ALL, range.ciphertext_bytes);
    if (error != UC_ERR_OK) return EngineFailed("ciphertext", error);
  }
  if (pages == 0) return absl::FailedPreconditionError("no guest memory");
  fetched_.resize(pages);
#ifdef FORELOCK_ENGINE_HAS_MEMORY_MAPPING
  fallback_region_ = __real_memory_mapping(engine_, memory_.ranges()[0].gpa);
#endif

  auto state = EngineState::Find(engine_);
  if (!state.ok()) return state.status();
  state_ = *state;
  ghcb_msr = 0;

  const auto hook = [&](int type, auto* function) {
    uc_hook handle = 0;
    // EDGE: uc_hook_add takes any callback as a void*.
    return uc_hook_add(engine_, &handle, type,
                       reinterpret_cast<void*>(function), this, 1, 0);
  };
  for (const uc_err result :
       {hook(UC_HOOK_BLOCK, &CpuCore::OnBlockHook),
        hook(UC_HOOK_INTR, &CpuCore::OnInterruptHook),
        hook(UC_HOOK_INSN_INVALID, &CpuCore::OnInvalidHook)}) {
    if (result != UC_ERR_OK) return EngineFailed("hooks", result);
  }
  return absl::OkStatus();
}

StopReason CpuCore::Run(const RunLimits& limits) {
  CpuCore* const outer = std::exchange(current, this);
  if (rmp_seen_ != rmp_.generation()) AfterEvent();
  limit_ = limits.instructions == 0 ? ~uint64_t{0}
                                    : counter_.count() + limits.instructions;
  deadline_.reset();
  if (limits.wall_clock.count() != 0) {
    deadline_ = std::chrono::steady_clock::now() + limits.wall_clock;
  }
  UpdateNextCheck();

  while (!stop_) {
    if (std::exchange(flush_code_, false)) {
      // By number: the macro of this name is another one in each version.
      uc_ctl(engine_, UC_CTL_WRITE(UC_CTL_TB_FLUSH, 0));
    }
    trapped_ = left_ = false;
    delivering_.reset();
    const uc_err error = uc_emu_start(engine_, state_.rip(), 0, 0, 0);
    if (stop_ || trapped_ || left_) continue;
    if (error != UC_ERR_OK) {
      RequestStop(StopKind::kEngineError, uc_strerror(error));
    } else {
      // HLT leaves through OnHlt(): this is the engine's shutdown.
      RequestStop(StopKind::kTripleFault,
                  absl::StrCat("an exception in the #DF handler; last",
                               RecentExceptions()));
    }
  }
  stop_ = false;
  StopReason reason = MakeStopReason();
  current = outer;
  return reason;
}

StopReason CpuCore::MakeStopReason() {
  StopReason reason;
  reason.kind = stop_kind_;
  reason.text = std::exchange(stop_text_, {});
  reason.rip = state_.rip();
  reason.fault = std::exchange(stop_fault_, {});
  reason.backtrace = Backtrace();
  return reason;
}

// The first reason stands.
void CpuCore::RequestStop(StopKind kind, std::string text) {
  if (stop_) return;
  stop_ = true;
  stop_kind_ = kind;
  stop_text_ = std::move(text);
}

void CpuCore::AfterEvent() {
  if (rmp_seen_ == rmp_.generation()) return;
  rmp_seen_ = rmp_.generation();
  FlushTlb();
}

void CpuCore::FlushTlb() {
  if (cs_ != nullptr) tlb_flush_x86_64(cs_);
}

void CpuCore::LeaveEngine(uintptr_t ra) {
  left_ = true;
  raise_exception_err_ra_x86_64(state_.env(), kLeaveVector, 0, ra);
}

void CpuCore::Raise(uint8_t vector, uint32_t error_code, uintptr_t ra) {
  raise_exception_err_ra_x86_64(state_.env(), vector,
                                static_cast<int>(error_code), ra);
}

void CpuCore::RaisePageFault(uint64_t va, uint32_t error_code, uintptr_t ra) {
  state_.cr(2) = va;
  Raise(kVectorPageFault, error_code, ra);
}

void CpuCore::RaiseVc(uint32_t error_code, uintptr_t ra) {
  vc_error_ = error_code;
  Raise(kVectorVmmCommunication, error_code, ra);
}

bool CpuCore::TranslationBufferIsFull(const void* block) {
  const auto* const at = static_cast<const uint8_t*>(block);
  if (at == nullptr) return true;
  if (first_block_ == nullptr || at < first_block_) first_block_ = at;
  return at - first_block_ >
         static_cast<ptrdiff_t>(kTranslationBuffer - kTranslationReserve);
}

// --- Hooks.

void CpuCore::OnBlockHook(uc_engine* /*engine*/, uint64_t pc, uint32_t /*size*/,
                          void* self) {
  static_cast<CpuCore*>(self)->OnBlock(pc);
}

void CpuCore::OnInterruptHook(uc_engine* /*engine*/, uint32_t vector,
                              void* self) {
  static_cast<CpuCore*>(self)->OnInterrupt(vector);
}

bool CpuCore::OnInvalidHook(uc_engine* /*engine*/, void* self) {
  static_cast<CpuCore*>(self)->OnInvalid();
  return true;
}

void CpuCore::UpdateNextCheck() {
  next_check_ = std::min(notify_at, limit_);
  if (!injections.empty()) next_check_ = 0;
  if (deadline_.has_value()) {
    next_check_ =
        std::min(next_check_, counter_.count() + kInstructionsPerLook);
  }
}

void CpuCore::OnBlock(uint64_t pc) {
  counter_.Done();
  if (counter_.count() >= next_check_ || stop_) {
    // Chained blocks do not keep RIP up to date.
    state_.rip() = pc - state_.segment(kCs).base;
    if (counter_.count() >= notify_at) {
      notify_at = ~uint64_t{0};
      events_.OnCount(cpu_);
      AfterEvent();
    }
    if (counter_.count() >= limit_) {
      RequestStop(StopKind::kInstructionLimit,
                  absl::StrCat(counter_.count(), " instructions"));
    }
    if (deadline_.has_value() &&
        std::chrono::steady_clock::now() >= *deadline_) {
      RequestStop(StopKind::kTimeLimit,
                  absl::StrCat(counter_.count(), " instructions until then"));
    }
    if (stop_) LeaveEngine(0);
    if (!injections.empty()) DeliverInjection();
    UpdateNextCheck();
  }
  counter_.Enter(pc);
}

void CpuCore::OnInterrupt(uint32_t vector) {
  counter_.LeaveAt(state_.rip());
  if (vector == kLeaveVector && left_) {
    uc_emu_stop(engine_);
    return;
  }
  if (vector == kVectorUndefined) {
    // 2.1.1 comes here after OnInvalid(), which has done all there is to do.
    uc_emu_stop(engine_);
    return;
  }
  RememberException(vector);
  events_.OnException(cpu_, static_cast<uint8_t>(vector),
                      vc_error_.value_or(0));
  Deliver(vector);
}

// The engine has put the vector into its own state; it knows no error code for
// #VC, so that is pushed here.
void CpuCore::Deliver(uint32_t vector) {
  CheckNested(vector);
  const std::optional<uint32_t> error_code = vector == kVectorVmmCommunication
                                                 ? std::exchange(vc_error_, {})
                                                 : std::nullopt;
  if (error_code.has_value()) {
    events_.OnVc(cpu_, *error_code);
    AfterEvent();
    if (stop_) LeaveEngine(0);
  }
  delivering_ = vector;
  x86_cpu_do_interrupt_x86_64(cs_);
  if (error_code.has_value()) PushErrorCode(*error_code);
  delivering_.reset();
}

// #VC is a contributory exception. APM volume 2, 8.2.9 and 15.35.5.
void CpuCore::CheckNested(uint32_t vector) {
  const std::optional<uint32_t> first = std::exchange(delivering_, {});
  if (!first.has_value() || (*first != kVectorVmmCommunication &&
                             vector != kVectorVmmCommunication)) {
    return;
  }
  const auto contributory = [](uint32_t which) {
    return which == 0 || (which >= 10 && which <= 13) ||
           which == kVectorVmmCommunication;
  };
  if (*first == kVectorDoubleFault) {
    RequestStop(
        StopKind::kTripleFault,
        absl::StrCat("#VC while #DF was delivered; last", RecentExceptions()));
    LeaveEngine(0);
  }
  if (contributory(vector) &&
      (contributory(*first) || *first == kVectorPageFault)) {
    vc_error_.reset();
    Raise(kVectorDoubleFault, 0, 0);
  }
}

void CpuCore::DeliverInjection() {
  const Injection injection = injections.front();
  injections.pop_front();
  UpdateNextCheck();
  do_interrupt_x86_hardirq_x86_64(state_.env(), injection.vector, 1);
  if (injection.error_code.has_value()) PushErrorCode(*injection.error_code);
  cpu_loop_exit_x86_64(cs_);
}

void CpuCore::PushErrorCode(uint32_t error_code) {
  const uint64_t width = (state_.efer() & kEferLma) != 0 ? 8 : 4;
  const uint64_t gva =
      state_.gpr(4) - width + (width == 4 ? state_.segment(kSs).base : 0);
  const auto walk = TranslateOrRaise(gva, Access::kWrite, /*user=*/false,
                                     /*smap=*/false, /*probe=*/false, 0);
  const base::MutableBytes bytes = walk->c_bit
                                       ? memory_.Private(walk->gpa, width)
                                       : memory_.Shared(walk->gpa, width);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = i < 4 ? static_cast<uint8_t>(error_code >> (8 * i)) : 0;
  }
  state_.gpr(4) -= width;
}

void CpuCore::OnInvalid() {
  counter_.LeaveAt(state_.rip());
  trapped_ = true;
  if (EmulateSnpInstruction() || StopIfEngineLacks()) return;
  RememberException(kVectorUndefined);
  Deliver(kVectorUndefined);
}

bool CpuCore::StopIfEngineLacks() {
  std::array<uint8_t, 15> bytes = {};
  const size_t size = ReadCode(state_.rip() + state_.segment(kCs).base, bytes);
  const base::Bytes code = std::span(bytes).first(size);
  const std::string_view name =
      InstructionThatTheEngineLacks(code, RegisterIs64Bit());
  if (name.empty()) return false;
  RequestStop(
      StopKind::kUnsupported,
      absl::StrFormat("this engine cannot run %s (%s)", name, HexOfCode(code)));
  return true;
}

void CpuCore::RememberException(uint32_t vector) {
  constexpr size_t kMost = 4;
  if (vector == kVectorVmmCommunication && vc_error_.has_value() &&
      !delivering_.has_value()) {
    return;  // There are thousands, and most of them are no mistake.
  }
  std::array<uint8_t, 8> bytes = {};
  const size_t size = ReadCode(state_.rip() + state_.segment(kCs).base, bytes);
  if (recent_.size() == kMost) recent_.pop_front();
  recent_.push_back({.vector = vector,
                     .rip = state_.rip(),
                     .cr2 = state_.cr(2),
                     .code = HexOfCode(std::span(bytes).first(size))});
}

std::string CpuCore::RecentExceptions() const {
  std::string text = recent_.empty() ? " none" : "";
  for (const Recent& recent : recent_) {
    absl::StrAppendFormat(&text, " vector %d at %#x (%s)", recent.vector,
                          recent.rip, recent.code);
    if (recent.vector == kVectorPageFault) {
      absl::StrAppendFormat(&text, " for %#x", recent.cr2);
    }
  }
  return text;
}

void CpuCore::OnPause(uintptr_t ra) {
  cpu_restore_state_x86_64(cs_, ra, false);
  events_.OnPause(cpu_);
  AfterEvent();
  if (stop_) LeaveEngine(0);
  if (!injections.empty()) UpdateNextCheck();
}

void CpuCore::OnHlt(int length) {
  state_.rip() += static_cast<uint64_t>(length);
  state_.hflags() &= ~kHflagsInhibitIrq;
  events_.OnHalt(cpu_);
  AfterEvent();
  if (stop_) LeaveEngine(0);
  if (!injections.empty()) UpdateNextCheck();
  cpu_loop_exit_x86_64(cs_);
}

void CpuCore::BeforeWriteCr(int which, uint64_t value, uintptr_t ra) {
  if (which != 3) return;
  // MOV to CR3 of an address that the processor does not have.
  const uint64_t reserved = ~((uint64_t{1} << options_.phys_bits) - 1) &
                            ~(uint64_t{1} << options_.c_bit);
  if ((value & reserved) != 0) Raise(kVectorGeneralProtection, 0, ra);
  events_.OnWriteCr3(cpu_, value);
  AfterEvent();
  if (stop_) LeaveEngine(ra);
}

uint64_t CpuCore::rflags() const {
  uint64_t value = 0;
  uc_reg_read(engine_, UC_X86_REG_EFLAGS, &value);
  return value;
}

}  // namespace machine
