// SPDX-License-Identifier: Apache-2.0
//
// A hypervisor whose every answer the input chooses: what it writes into the
// GHCB page, what it answers by MSR, what PVALIDATE finds. Whatever it does:
// no page is validated twice, none outside what was asked for changes, no
// request asks for another page, and it ends within the bound of exits.
#include <stddef.h>
#include <stdint.h>

#include <map>
#include <set>

#include "base/bytes.h"
#include "base/result.h"
#include "proxy/shared_range.h"
#include "sev/ghcb.h"
#include "svsm/memory/interval_set.h"
#include "svsm/platform/snp/ghcb.h"
#include "svsm/platform/snp/page_states.h"
#include "svsm/platform/snp/vmgexit.h"

namespace {

using namespace svsm;

constexpr Range kImage{0x200000, 0x400000};
constexpr uint64_t kGhcbGpa = 0x300000;

void Require(bool condition) {
  if (!condition) __builtin_trap();
}

class Chooser {
 public:
  explicit Chooser(base::Bytes bytes) : bytes_(bytes) {}
  uint8_t Byte() {
    if (bytes_.empty()) return 0;
    const uint8_t byte = bytes_[0];
    bytes_ = bytes_.subspan(1);
    return byte;
  }
  uint64_t Word() {
    uint64_t word = 0;
    for (int i = 0; i < 8; ++i) word = word << 8 | Byte();
    return word;
  }

 private:
  base::Bytes bytes_;
};

class Host final : public VmgExit, public PageInstructions {
 public:
  explicit Host(Chooser& choose) : choose_(choose) {
    for (uint64_t at = kImage.begin; at < kImage.end; at += kPageSize) {
      validated[at] = true;
    }
  }

  uint64_t Msr(uint64_t request) override {
    CheckAsked(request & sev::kMsrPageStateGfnMask, false);
    return (choose_.Byte() & 1) != 0 ? sev::kMsrPageStateResponse
                                     : choose_.Word();
  }

  void Page(uint64_t gpa) override {
    Require(gpa == kGhcbGpa && ++exits <= 16 * PageStates::kMaxExits);
    const uint64_t header = page().Load64(0x800);
    const uint64_t current = header & 0xFFFF;
    const uint64_t end = header >> 16 & 0xFFFF;
    Require(current <= end && end < sev::kPscMaxEntries);
    for (uint64_t i = current; i <= end; ++i) {
      const uint64_t entry = page().Load64(EntryAt(i));
      CheckAsked(entry & sev::kPscGfnMask, (entry & sev::kPscLargePage) != 0);
    }
    // Mostly well formed, or nothing would get far.
    const uint8_t how = choose_.Byte();
    uint64_t next = end + 1;
    if ((how & 1) != 0) next = current + choose_.Byte() % (end - current + 2);
    page().Store64(0x800, (header & ~uint64_t{0xFFFF}) | next);
    if ((how & 2) != 0 && next <= end) {
      page().Store64(EntryAt(next),
                     page().Load64(EntryAt(next)) ^ choose_.Byte());
    }
    page().Store64(sev::ghcb_layout::SwExitInfo1::kOffset, 0);
    page().Store64(sev::ghcb_layout::SwExitInfo2::kOffset, 0);
    for (int i = 0; i < (how >> 5); ++i) {
      const uint32_t at = (choose_.Byte() | choose_.Byte() << 8) % 512 * 8;
      page().Store64(at, choose_.Word());
    }
    if ((how & 4) != 0) page().Store64(0x800, choose_.Word());
  }

  Pvalidated Pvalidate(uint64_t address, bool large, bool validate) override {
    Require(address % (large ? PageStates::kLarge : kPageSize) == 0);
    CheckAsked(address, large);
    window_open = true;
    const uint8_t how = choose_.Byte();
    // The CPU itself does not lie: what failed is not done.
    if (how == 1) return {.code = choose_.Byte() % 255u + 1};
    if (how == 2) return {.unchanged = true};
    if (large && (how & 4) != 0) return {.code = sev::kRmpFailSizeMismatch};
    const uint64_t size = large ? PageStates::kLarge : kPageSize;
    for (uint64_t at = address; at < address + size; at += kPageSize) {
      // The rule that all of this is for.
      Require(validated[at] != validate);
      validated[at] = validate;
      evicted.erase(at);
    }
    return {};
  }
  void MapShared(uint64_t address) override { Require(!validated[address]); }
  void MapPrivate(uint64_t address) override { Require(validated[address]); }
  void Evict(uint64_t page) override {
    Require(validated[page] && asked.Contains({page, page + kPageSize}));
    evicted.insert(page);
    window_open = true;
  }
  void CloseWindow() override { window_open = false; }
  void Zero(uint64_t page) override {
    Require(!validated[page] || evicted.contains(page));
  }

  proxy::SharedRange page() {
    return {.base = ghcb_, .gpa = kGhcbGpa, .size = sizeof(ghcb_)};
  }

  Range asked;
  unsigned exits = 0;
  bool window_open = false;
  std::map<uint64_t, bool> validated;
  std::set<uint64_t> evicted;  // since they were validated

 private:
  static uint32_t EntryAt(uint64_t index) {
    return static_cast<uint32_t>(0x808 + 8 * index);
  }
  void CheckAsked(uint64_t address, bool large) const {
    const uint64_t size = large ? PageStates::kLarge : kPageSize;
    Require(asked.Contains({address, address + size}));
  }

  Chooser& choose_;
  alignas(kPageSize) uint8_t ghcb_[sev::kGhcbSize] = {};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Chooser choose({data, size});
  Host host(choose);
  Ghcb ghcb(host, host.page());
  PageStates states(host, ghcb, host, 51, kImage);
  // Any failure ends a boot, so nothing comes after one.
  for (int step = 0; step < 6; ++step) {
    const uint8_t what = choose.Byte();
    const uint64_t at = choose.Byte() * kPageSize;
    const uint64_t pages = choose.Byte() % 32 + 1;
    base::Status status;
    host.exits = 0;
    switch (what % 5) {
      case 0:
        host.asked = {kImage.begin + at, kImage.begin + at + pages * kPageSize};
        status = states.Share(host.asked);
        break;
      case 1:
        host.asked = {kImage.begin + at, kImage.begin + at + pages * kPageSize};
        status = states.Unshare(host.asked);
        break;
      case 2:
        host.asked = {kImage.begin + at, kImage.begin + at + kPageSize};
        status = (what & 0x80) != 0 ? states.ShareByMsr(host.asked.begin)
                                    : states.UnshareByMsr(host.asked.begin);
        break;
      default:
        host.asked = {at * 32, at * 32 + pages * 64 * kPageSize};
        status = states.Accept(host.asked);
        if (status.ok()) {
          for (uint64_t page = host.asked.begin; page < host.asked.end;
               page += kPageSize) {
            Require(host.validated[page] && host.evicted.contains(page));
          }
        }
    }
    Require(!host.window_open);
    if (!status.ok()) return 0;
  }
  return 0;
}
