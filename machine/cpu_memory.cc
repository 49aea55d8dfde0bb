// SPDX-License-Identifier: Apache-2.0
//
// What an access goes through: page walk, RMP, events, and then the TLB of the
// engine, which answers the accesses that follow without asking again.
#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "machine/cpu_core.h"
#include "sev/ghcb.h"

namespace machine {

Paging CpuCore::paging() const {
  return {.cr0 = state_.cr(0),
          .cr3 = state_.cr(3),
          .cr4 = state_.cr(4),
          .efer = state_.efer(),
          .c_bit = options_.c_bit,
          .phys_bits = options_.phys_bits,
          .vmpl = vmpl};
}

size_t CpuCore::PageIndex(uint64_t gpa) const {
  size_t index = 0;
  for (const MemoryRange& range : memory_.ranges()) {
    if (gpa - range.gpa < range.size)
      return index + (gpa - range.gpa) / kPageSize;
    index += range.size / kPageSize;
  }
  return fetched_.size();
}

bool CpuCore::watched(const WalkResult& walk) const {
  if (watch_shared_ && !walk.c_bit) return true;
  if (watched_.empty()) return false;
  const uint64_t page = walk.gpa - walk.gpa % kPageSize;
  return std::ranges::any_of(watched_, [page](const Range& range) {
    return page + kPageSize > range.gpa && page < range.gpa + range.size;
  });
}

void CpuCore::Watch(uint64_t gpa, uint64_t size) {
  watched_.push_back({gpa, size});
  FlushTlb();
}

void CpuCore::WatchShared() {
  watch_shared_ = true;
  FlushTlb();
}

void CpuCore::UnwatchAll() {
  watched_.clear();
  watch_shared_ = false;
  FlushTlb();
}

void CpuCore::Fault(const NestedFault& fault, uintptr_t ra) {
  // Without a nested page fault: the processor tells the guest itself.
  if (fault.rule == Rule::kNotValidated ||
      (fault.rule == Rule::kNotRam && !fault.c_bit)) {
    state_.cr(2) = fault.gva;
    // C=0 and no memory: the hypervisor would emulate a device there.
    RaiseVc(fault.rule == Rule::kNotValidated
                ? static_cast<uint32_t>(sev::kExitPageNotValidated)
                : kExitNpf,
            ra);
  }
  if (events_.OnNestedFault(cpu_, fault) && !stop_) {
    AfterEvent();
    return;
  }
  RequestStop(StopKind::kViolation, std::string(NameOf(fault.rule)));
  stop_fault_ = fault;
  LeaveEngine(ra);
}

std::optional<WalkResult> CpuCore::TranslateOrRaise(uint64_t va, Access access,
                                                    bool user, bool smap,
                                                    bool probe, uintptr_t ra) {
  for (;;) {
    WalkResult walk =
        Walk(paging(), memory_, rmp_,
             {.gva = va, .access = access, .user = user, .smap = smap});
    Rule rule = walk.rule;
    Access broken = Access::kRead;
    if (walk.outcome == WalkOutcome::kTranslated) {
      // Fetches are private whatever the C-bit says. APM vol. 2, 15.34.5.
      if (access == Access::kFetch) walk.c_bit = true;
      rule = rmp_.Check(walk.gpa, walk.c_bit, access, user, vmpl);
      walk.ciphertext = rule == Rule::kSharedRead;
      if (rule == Rule::kNone || walk.ciphertext) return walk;
      broken = access;
    }
    if (probe) return std::nullopt;
    switch (walk.outcome) {
      case WalkOutcome::kPageFault:
        RaisePageFault(va, walk.error_code, ra);
      case WalkOutcome::kNonCanonical:
        Raise(kVectorGeneralProtection, 0, ra);
      case WalkOutcome::kUnsupported:
        RequestStop(StopKind::kUnsupported,
                    "this engine cannot do paging without long mode, or with "
                    "five levels");
        LeaveEngine(ra);
      case WalkOutcome::kBadTable:
      case WalkOutcome::kTranslated:
        cpu_restore_state_x86_64(cs_, ra, false);
        Fault({.rule = rule,
               .gpa = walk.gpa,
               .gva = va,
               .rip = state_.rip(),
               .access = broken,
               .c_bit = walk.c_bit},
              ra);
    }
  }
}

bool CpuCore::TlbFill(void* cs, uint64_t va, unsigned size, Access access,
                      int mmu_index, bool probe, uintptr_t ra) {
  cs_ = cs;
  const bool user = mmu_index == kMmuUser;
  const bool smap = mmu_index == kMmuSupervisorSmap;
  std::optional<WalkResult> walk;
  for (bool told = false;;) {
    walk = TranslateOrRaise(va, access, user, smap, probe, ra);
    if (!walk.has_value()) return false;
    // Events happen once an access, and may change what it leads to. Each page
    // that a fetch leads to counts: no code runs from one that was not told.
    const uint64_t gpa = walk->gpa;
    if (access == Access::kFetch) {
      const size_t index = PageIndex(gpa);
      if (fetched_[index]) break;
      fetched_[index] = true;
      FlushTlb();  // SetTlb() let stores pass unseen
      cpu_restore_state_x86_64(cs_, ra, false);
      events_.OnFetchPage(cpu_, gpa);
    } else if (!told && watched(*walk)) {
      cpu_restore_state_x86_64(cs_, ra, false);
      events_.OnWatchedAccess(cpu_, {.gpa = gpa,
                                     .gva = va,
                                     .rip = state_.rip(),
                                     .access = access,
                                     .c_bit = walk->c_bit,
                                     .size = size});
    } else {
      break;
    }
    told = true;
    if (stop_) LeaveEngine(ra);
    AfterEvent();
  }
  if (walk->ciphertext && !probe) {
    cpu_restore_state_x86_64(cs_, ra, false);
    events_.OnCiphertextRead(cpu_, {.rule = Rule::kSharedRead,
                                    .gpa = walk->gpa,
                                    .gva = va,
                                    .rip = state_.rip(),
                                    .access = access});
    if (stop_) LeaveEngine(ra);
  }
  if (walk->ciphertext) memory_.Encrypt(walk->gpa);
  if (walk->c_bit && rmp_.TakeStale(walk->gpa)) {
    memory_.Garble(walk->gpa);
    // What was translated from the page before is not its content any more.
    if (fetched_[PageIndex(walk->gpa)]) {
      flush_code_ = true;
      LeaveEngine(ra);
    }
  }
  SetTlb(va, *walk, access, user, mmu_index);
  return true;
}

void CpuCore::SetTlb(uint64_t va, const WalkResult& walk, Access access,
                     bool user, int mmu_index) {
  const auto allowed = [&](Access wanted) {
    return rmp_.Check(walk.gpa, walk.c_bit, wanted, user, vmpl) == Rule::kNone;
  };
  int protection = 0;
  // One entry answers reads, writes and fetches. A fetch is private even where
  // C=0, so there data and code need different entries; and a page whose code
  // was never fetched must come back to say so.
  if (access != Access::kFetch || walk.mapped_c_bit) {
    if (walk.readable && allowed(Access::kRead)) protection |= kProtectionRead;
    if (walk.writable && allowed(Access::kWrite)) {
      protection |= kProtectionWrite;
    }
  }
  if (access == Access::kFetch ||
      (walk.c_bit && walk.executable && fetched_[PageIndex(walk.gpa)] &&
       allowed(Access::kFetch))) {
    protection |= kProtectionExecute;
  }
  uint64_t alias = walk.c_bit ? 0 : kSharedAlias;
  if (walk.ciphertext) {
    alias = kCiphertextAlias;
    protection = walk.readable ? kProtectionRead : 0;
  }
  uint64_t size = walk.page_size;
  if (watched(walk)) {
    if (access == Access::kFetch) {
      protection = kProtectionExecute;
    } else {
      protection &= ~kProtectionExecute;
      size = 1;  // asks again for each access
    }
  }
  tlb_set_page_with_attrs_x86_64(cs_, va & ~(kPageSize - 1),
                                 (walk.gpa & ~(kPageSize - 1)) + alias, 0,
                                 protection, mmu_index, size);
  // A new entry is not dirty, and in 2.0.1 never becomes so: each store would
  // look for translated code (40 % of a run). There is none where nobody
  // fetched.
  if (!walk.c_bit || !fetched_[PageIndex(walk.gpa)]) {
    tlb_set_dirty_x86_64(cs_, va);
  }
}

void CpuCore::KeepCodeClean(uint64_t first, uint64_t end) {
  for (uint64_t page = first - first % kPageSize; page < end;
       page += kPageSize) {
    const auto walk = Look(page, Access::kFetch);
    if (!walk.has_value()) continue;
    const base::MutableBytes bytes = memory_.Private(walk->gpa, kPageSize);
    if (bytes.empty()) continue;
    // EDGE: the engine wants the host's address as a number.
    tlb_reset_dirty_x86_64(cs_, reinterpret_cast<uintptr_t>(bytes.data()),
                           kPageSize);
  }
}

// --- For people and tests: no side effects, no RMP.

std::optional<WalkResult> CpuCore::Look(uint64_t gva, Access access) const {
  WalkResult walk = Walk(paging(), memory_, rmp_,
                         {.gva = gva, .access = access, .for_real = false});
  if (walk.outcome != WalkOutcome::kTranslated) return std::nullopt;
  if (access == Access::kFetch) walk.c_bit = true;
  return walk;
}

size_t CpuCore::ReadCode(uint64_t gva, base::MutableBytes out) const {
  size_t done = 0;
  while (done < out.size()) {
    const uint64_t at = gva + done;
    const size_t step =
        std::min<size_t>(out.size() - done, kPageSize - at % kPageSize);
    const auto walk = Look(at, Access::kFetch);
    if (!walk.has_value()) break;
    const base::MutableBytes bytes = memory_.Private(walk->gpa, step);
    if (bytes.empty()) break;
    std::ranges::copy(bytes, out.subspan(done).begin());
    done += step;
  }
  return done;
}

std::vector<Frame> CpuCore::Backtrace() const {
  constexpr size_t kMaxFrames = 32;
  std::vector<Frame> frames;
  const auto add = [&](uint64_t address) {
    frames.push_back({address, options_.symbols != nullptr
                                   ? options_.symbols->Describe(address)
                                   : absl::StrFormat("%#x", address)});
  };
  const auto read = [&](uint64_t gva) -> std::optional<uint64_t> {
    const auto walk = Look(gva, Access::kRead);
    if (!walk.has_value()) return std::nullopt;
    const base::MutableBytes bytes = walk->c_bit ? memory_.Private(walk->gpa, 8)
                                                 : memory_.Shared(walk->gpa, 8);
    if (bytes.empty()) return std::nullopt;
    return base::LoadLe<uint64_t>(bytes.first<8>());
  };
  add(state_.rip());
  uint64_t frame = state_.gpr(5);
  while (frames.size() < kMaxFrames && RegisterIs64Bit()) {
    const auto next = read(frame);
    const auto address = read(frame + 8);
    if (!next.has_value() || !address.has_value() || *address == 0) break;
    add(*address);
    if (*next <= frame) break;
    frame = *next;
  }
  return frames;
}

}  // namespace machine
