// SPDX-License-Identifier: Apache-2.0
//
// FakeHypervisor: the other side of vmgexit.h for host tests. Honest unless a
// test gives it a lie; it keeps an RMP of its own, so that what the platform
// did can be compared with what it should have done.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "proxy/shared_range.h"
#include "sev/ghcb.h"
#include "svsm/memory/interval_set.h"
#include "svsm/platform/snp/vmgexit.h"

namespace svsm {

class FakeHypervisor final : public VmgExit, public PageInstructions {
 public:
  static constexpr uint64_t kGhcbGpa = 0x300000;

  // --- What a test changes.
  std::function<uint64_t(uint64_t request, uint64_t honest)> msr_lie;
  // Instead of the honest answer to an exit by page; false: be honest.
  std::function<bool()> page_lie;
  // After the honest answer.
  std::function<void()> page_tampering;
  std::function<void(uint64_t address, bool large, Pvalidated&)> rmp_lie;
  unsigned c_bit = 51;
  uint16_t min_version = 1, max_version = 2;
  uint64_t features = sev::kFeatureSnp | 2;
  size_t entries_an_exit = 1000;  // of a page state change
  bool backs_large = true;        // by 2 MiB pages
  uint32_t in_value = 0;
  uint64_t msr_value = 0;

  // --- What a test looks at.
  struct Page {
    bool assigned = false;
    bool validated = false;
    bool large = false;
    bool dirty_cache = false;  // since it was assigned; Evict() ends it
  };
  std::map<uint64_t, Page> rmp;  // by address
  std::set<uint64_t> mapped_shared;
  std::vector<uint64_t> zeroed;
  std::vector<uint64_t> evicted;  // 4 KiB pages, each after its PVALIDATE
  bool window_open = false;
  unsigned windows_closed = 0;
  std::vector<uint64_t> msr_requests;
  struct Port {
    uint64_t info = 0;
    uint64_t rax = 0;
  };
  std::vector<Port> ports;
  std::vector<std::vector<uint64_t>> batches;  // as each exit sent them
  unsigned page_exits = 0;
  unsigned pvalidates = 0;
  unsigned large_pvalidates = 0;

  proxy::SharedRange page() {
    return {.base = ghcb_, .gpa = kGhcbGpa, .size = sizeof(ghcb_)};
  }
  template <typename F>
  uint64_t Get() {
    return page().Load64(F::kOffset);
  }
  template <typename F>
  void Put(uint64_t value) {
    page().Store64(F::kOffset, value);
    constexpr size_t kBit = sev::kValidBit<F>;
    ghcb_[sev::ghcb_layout::ValidBitmap::kOffset + kBit / 8] |=
        static_cast<uint8_t>(1 << (kBit % 8));
  }
  template <typename F>
  bool Valid() {
    constexpr size_t kBit = sev::kValidBit<F>;
    return (ghcb_[sev::ghcb_layout::ValidBitmap::kOffset + kBit / 8] >>
                (kBit % 8) &
            1) != 0;
  }
  void ClearValid() { page().Zero(sev::ghcb_layout::ValidBitmap::kOffset, 16); }
  void Done(uint64_t info_1 = 0, uint64_t info_2 = 0) {
    Put<sev::ghcb_layout::SwExitInfo1>(info_1);
    Put<sev::ghcb_layout::SwExitInfo2>(info_2);
  }
  uint64_t psc_header() { return page().Load64(0x800); }
  void set_psc_header(uint64_t value) { page().Store64(0x800, value); }
  uint64_t psc_entry(size_t i) {
    return page().Load64(static_cast<uint32_t>(0x808 + 8 * i));
  }
  void set_psc_entry(size_t i, uint64_t value) {
    page().Store64(static_cast<uint32_t>(0x808 + 8 * i), value);
  }
  // What a launch leaves.
  void Launch(Range pages) {
    for (uint64_t at = pages.begin; at < pages.end; at += kPageSize) {
      rmp[at] = {.assigned = true, .validated = true};
    }
  }

  // --- VmgExit.
  uint64_t Msr(uint64_t request) override {
    msr_requests.push_back(request);
    const uint64_t honest = HonestMsr(request);
    return msr_lie ? msr_lie(request, honest) : honest;
  }
  void Page(uint64_t ghcb_gpa) override {
    ++page_exits;
    if (ghcb_gpa != kGhcbGpa) __builtin_trap();
    if (page_lie && page_lie()) return;
    HonestPage();
    if (page_tampering) page_tampering();
  }

  // --- PageInstructions.
  Pvalidated Pvalidate(uint64_t address, bool large, bool validate) override {
    window_open = true;
    Pvalidated out = HonestPvalidate(address, large, validate);
    if (rmp_lie) rmp_lie(address, large, out);
    return out;
  }
  void MapShared(uint64_t address) override { mapped_shared.insert(address); }
  void MapPrivate(uint64_t address) override { mapped_shared.erase(address); }
  void Zero(uint64_t address) override {
    zeroed.push_back(address);
    // A page that came back must have been evicted by now.
    if (rmp[address].assigned && rmp[address].dirty_cache) __builtin_trap();
  }
  void Evict(uint64_t page) override {
    struct Page& entry = rmp[page];
    if (page % kPageSize != 0 || !entry.validated) __builtin_trap();
    entry.dirty_cache = false;
    evicted.push_back(page);
    window_open = true;
  }
  void CloseWindow() override {
    if (window_open) ++windows_closed;
    window_open = false;
  }

 private:
  uint64_t HonestMsr(uint64_t request) {
    switch (request & sev::kGhcbInfoMask) {
      case sev::kMsrSevInfoRequest:
        return uint64_t{max_version} << 48 | uint64_t{min_version} << 32 |
               uint64_t{c_bit} << 24 | sev::kMsrSevInfoResponse;
      case sev::kMsrFeaturesRequest:
        return features << 12 | sev::kMsrFeaturesResponse;
      case sev::kMsrRegisterGhcbRequest:
        return (request & ~sev::kGhcbInfoMask) | sev::kMsrRegisterGhcbResponse;
      case sev::kMsrPageStateRequest:
        Assign(request & sev::kMsrPageStateGfnMask, kPageSize,
               (request >> 52 & 0xF) == 1);
        return sev::kMsrPageStateResponse;
      default:
        return 0;
    }
  }

  void HonestPage() {
    namespace f = sev::ghcb_layout;
    const uint64_t code = Get<f::SwExitCode>();
    const uint64_t info_1 = Get<f::SwExitInfo1>();
    const uint64_t rax = Valid<f::Rax>() ? Get<f::Rax>() : 0;
    const bool rax_sent = Valid<f::Rax>();
    ClearValid();
    switch (code) {
      case sev::kExitIoio:
        if (((info_1 & sev::kIoioIn) != 0) == rax_sent) return Done(2, 1);
        ports.push_back({info_1, rax});
        if ((info_1 & sev::kIoioIn) != 0) Put<f::Rax>(in_value);
        return Done();
      case sev::kExitMsr:
        if (info_1 == 0) {
          Put<f::Rax>(msr_value & UINT32_MAX);
          Put<f::Rdx>(msr_value >> 32);
        } else {
          msr_value = Get<f::Rdx>() << 32 | rax;
        }
        return Done();
      case sev::kExitPageStateChange:
        return ChangePages();
      default:
        return Done();
    }
  }

  void ChangePages() {
    const uint64_t header = psc_header();
    uint64_t current = header & 0xFFFF;
    const uint64_t end = header >> 16 & 0xFFFF;
    std::vector<uint64_t> seen;
    for (size_t i = current; i <= end; ++i) seen.push_back(psc_entry(i));
    batches.push_back(seen);
    for (size_t n = 0; n < entries_an_exit && current <= end; ++n, ++current) {
      const uint64_t entry = psc_entry(current);
      const bool large = (entry & sev::kPscLargePage) != 0;
      const uint64_t first = entry & sev::kPscCurrentPageMask;
      Assign((entry & sev::kPscGfnMask) + first * kPageSize,
             (large ? 512 - first : 1) * kPageSize, (entry >> 52 & 0xF) == 1);
      set_psc_entry(current,
                    (entry & ~sev::kPscCurrentPageMask) | (large ? 512 : 1));
    }
    set_psc_header((header & ~uint64_t{0xFFFF}) | current);
    Done();
  }

  void Assign(uint64_t address, uint64_t size, bool as_private) {
    for (uint64_t at = address; at < address + size; at += kPageSize) {
      rmp[at] = {.assigned = as_private,
                 .validated = false,
                 .large = backs_large && size > kPageSize,
                 .dirty_cache = true};
    }
  }

  Pvalidated HonestPvalidate(uint64_t address, bool large, bool validate) {
    ++pvalidates;
    if (large) ++large_pvalidates;
    if (large && !rmp[address].large) {
      return {.code = sev::kRmpFailSizeMismatch};
    }
    Pvalidated out = {.unchanged = true};
    const uint64_t size = large ? 512 * kPageSize : kPageSize;
    for (uint64_t at = address; at < address + size; at += kPageSize) {
      struct Page& page = rmp[at];
      if (!page.assigned) return {.code = sev::kRmpFailInput};
      if (page.validated != validate) out.unchanged = false;
      page.validated = validate;
    }
    return out;
  }

  alignas(kPageSize) uint8_t ghcb_[sev::kGhcbSize] = {};
};

}  // namespace svsm
