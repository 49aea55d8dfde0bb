// SPDX-License-Identifier: Apache-2.0
//
// NativePlatform: a machine without SNP, by the CPU's own instructions. The
// host sees all memory as it is, so there is nothing to share or to accept.
// Guest only. Nothing here is inline: a compiler may guess that a Platform is
// this one and put port instructions where the SNP platform calls.
#pragma once

#include "svsm/platform/platform.h"

namespace svsm {

class NativePlatform final : public Platform {
 public:
  constexpr NativePlatform() = default;

  EntryPoint entry_point() const override { return EntryPoint::kPvh; }

  uint8_t In8(uint16_t port) override;
  void Out8(uint16_t port, uint8_t value) override;
  void Out16(uint16_t port, uint16_t value) override;
  void Out32(uint16_t port, uint32_t value) override;
  CpuidRegisters Cpuid(uint32_t leaf, uint32_t subleaf) override;
  base::Status Share(Range pages) override;
  base::Status Unshare(Range pages) override;
  base::Status Accept(Range) override { return {}; }
  uint32_t tsc_kilohertz() override { return 0; }
  GuestRequestExit* guest_request_exit() override { return nullptr; }
  base::Status Retire() override { return {}; }
  base::Status HandleVc(ExceptionFrame& frame) override;
  uint64_t encryption_mask() const override { return 0; }
  [[noreturn]] void Stop(base::Status why) override;
};

}  // namespace svsm
