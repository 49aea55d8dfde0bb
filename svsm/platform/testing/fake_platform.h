// SPDX-License-Identifier: Apache-2.0
//
// FakePlatform: a Platform of host tests. It keeps the state of each page and
// refuses what hardware would refuse; "physical" addresses are the process's.
#pragma once

#include <stdint.h>
#include <string.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "svsm/platform/platform.h"
#include "svsm/reasons.h"

namespace svsm::testing {

class FakePlatform final : public Platform {
 public:
  explicit FakePlatform(EntryPoint entry = EntryPoint::kSnp) : entry_(entry) {}
  virtual ~FakePlatform() = default;

  EntryPoint entry_point() const override { return entry_; }
  uint8_t In8(uint16_t) override { return 0xFF; }
  void Out8(uint16_t port, uint8_t value) override { Out32(port, value); }
  void Out16(uint16_t port, uint16_t value) override { Out32(port, value); }
  void Out32(uint16_t port, uint32_t value) override {
    written.emplace_back(port, value);
  }
  CpuidRegisters Cpuid(uint32_t leaf, uint32_t subleaf) override {
    return cpuid[{leaf, subleaf}];
  }

  base::Status Share(Range pages) override {
    BASE_TRY(Count());
    for (uint64_t page = pages.begin; page < pages.end; page += kPageSize) {
      if (!shared.insert(page).second) return Wrong();
    }
    Zero(pages);
    return {};
  }
  base::Status Unshare(Range pages) override {
    BASE_TRY(Count());
    for (uint64_t page = pages.begin; page < pages.end; page += kPageSize) {
      if (shared.erase(page) != 1) return Wrong();
    }
    Zero(pages);
    return {};
  }
  base::Status Accept(Range pages) override {
    BASE_TRY(Count());
    accepted.push_back(pages);
    return {};
  }

  uint32_t tsc_kilohertz() override { return 0; }
  GuestRequestExit* guest_request_exit() override { return guest_request; }
  base::Status Retire() override { return Count(); }
  base::Status HandleVc(ExceptionFrame&) override { return Wrong(); }
  uint64_t encryption_mask() const override {
    return entry_ == EntryPoint::kSnp ? uint64_t{1} << 51 : 0;
  }
  [[noreturn]] void Stop(base::Status) override { abort(); }

  // The change of state with this number fails, from 1 on; 0: none does.
  int failing_change = 0;
  int changes = 0;
  std::function<void()> before_change;
  std::set<uint64_t> shared;
  std::vector<Range> accepted;
  std::vector<std::pair<uint16_t, uint32_t>> written;
  std::map<std::pair<uint32_t, uint32_t>, CpuidRegisters> cpuid;
  GuestRequestExit* guest_request = nullptr;

 private:
  static base::Status Wrong() {
    return base::Status(base::Code::kInternal, kTrap);
  }
  base::Status Count() {
    if (before_change) before_change();
    return ++changes == failing_change ? Wrong() : base::Status();
  }
  static void Zero(Range pages) {
    // EDGE: a test's own memory stands for the image.
    memset(reinterpret_cast<void*>(pages.begin), 0, pages.size());
  }

  EntryPoint entry_;
};

}  // namespace svsm::testing
