// SPDX-License-Identifier: Apache-2.0
//
// NativePlatform: a machine without SNP, by the CPU's own instructions. The
// host sees all memory as it is, so there is nothing to share or to accept.
// Guest only.
#pragma once

#include "svsm/hw/cpu.h"
#include "svsm/platform/platform.h"
#include "svsm/reasons.h"

namespace svsm {

class NativePlatform final : public Platform {
 public:
  constexpr NativePlatform() = default;

  EntryPoint entry_point() const override { return EntryPoint::kPvh; }

  uint8_t In8(uint16_t port) override { return hw::In8(port); }
  void Out8(uint16_t port, uint8_t value) override { hw::Out8(port, value); }
  void Out16(uint16_t port, uint16_t value) override { hw::Out16(port, value); }
  void Out32(uint16_t port, uint32_t value) override { hw::Out32(port, value); }

  CpuidRegisters Cpuid(uint32_t leaf, uint32_t subleaf) override {
    const hw::CpuidLeaf out = hw::Cpuid(leaf, subleaf);
    return {out.eax, out.ebx, out.ecx, out.edx};
  }

  base::Status Share(Range pages) override { return Zero(pages); }
  base::Status Unshare(Range pages) override { return Zero(pages); }
  base::Status Accept(Range) override { return {}; }

  uint32_t tsc_kilohertz() override { return 0; }
  GuestRequestExit* guest_request_exit() override { return nullptr; }
  base::Status Retire() override { return {}; }
  base::Status HandleVc(ExceptionFrame&) override {
    return base::Status(base::Code::kInternal, kException);
  }
  uint64_t encryption_mask() const override { return 0; }

  [[noreturn]] void Stop(base::Status) override {
    Out16(kPm1aControl, kSoftOff);
    hw::HaltForever();
  }

 private:
  static base::Status Zero(Range pages) {
    // EDGE: pages of the image, which is identity-mapped; the host writes them.
    auto* word = reinterpret_cast<volatile uint64_t*>(pages.begin);
    for (uint64_t i = 0; i < pages.size() / sizeof(*word); ++i) word[i] = 0;
    return {};
  }
};

}  // namespace svsm
