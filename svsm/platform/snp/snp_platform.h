// SPDX-License-Identifier: Apache-2.0
//
// SnpPlatform: an SEV-SNP guest at VMPL 0. Guest only; the rules are in the
// files beside it, which host tests run.
//
// Until Start() there is no GHCB: port I/O does nothing, and Stop() speaks by
// the MSR protocol, as it always does. When the GHCB itself fails, it is not
// used again and the boot ends with that reason.
#pragma once

#include <stdint.h>

#include <optional>

#include "base/result.h"
#include "svsm/platform/platform.h"
#include "svsm/platform/snp/ghcb.h"
#include "svsm/platform/snp/page_states.h"
#include "svsm/platform/snp/vc.h"
#include "svsm/platform/snp/vmgexit.h"

namespace svsm {

class SnpPlatform final : public Platform,
                          private VmgExit,
                          private PageInstructions,
                          private VcBackend {
 public:
  // Ends the boot if the CPUID page names no possible C-bit.
  SnpPlatform();

  // Checks SEV_STATUS, comes to terms with the hypervisor and shares the GHCB.
  // Once, on the final page tables.
  //   kFailedPrecondition, kDataLoss, kUnavailable: see sev_status.h,
  //   msr_protocol.h, page_states.h.
  base::Status Start();

  // What firmware does for a kernel: without memory types by default, Linux has
  // no PAT, and stops where it needs one for encrypted memory. A host that has
  // no such MSR is borne. After Start().
  void EnableMtrrs();

  EntryPoint entry_point() const override { return EntryPoint::kSnp; }
  uint8_t In8(uint16_t port) override;
  void Out8(uint16_t port, uint8_t value) override;
  void Out16(uint16_t port, uint16_t value) override;
  void Out32(uint16_t port, uint32_t value) override;
  CpuidRegisters Cpuid(uint32_t leaf, uint32_t subleaf) override;
  base::Status Share(Range pages) override;
  base::Status Unshare(Range pages) override;
  base::Status Accept(Range pages) override;
  uint32_t tsc_kilohertz() override;
  GuestRequestExit* guest_request_exit() override;
  base::Status Retire() override;
  base::Status HandleVc(ExceptionFrame& frame) override;
  uint64_t encryption_mask() const override { return uint64_t{1} << c_bit_; }
  [[noreturn]] void Stop(base::Status why) override;

 private:
  void Out(uint16_t port, unsigned size, uint32_t value);
  bool usable() const { return up_ && !broken_; }
  [[noreturn]] void Break(base::Status why);

  uint64_t Msr(uint64_t request) override;
  void Page(uint64_t ghcb_gpa) override;

  // The virtual address in the window of what is at physical `address`.
  uint64_t Show(uint64_t address);
  Pvalidated Pvalidate(uint64_t address, bool large, bool validate) override;
  void Evict(uint64_t page) override;
  void CloseWindow() override;
  void MapShared(uint64_t address) override;
  void MapPrivate(uint64_t address) override;
  void Zero(uint64_t address) override;

  base::Result<uint32_t> VcIn(uint16_t port, unsigned size) override;
  base::Status VcOut(uint16_t port, unsigned size, uint32_t value) override;
  base::Result<uint64_t> VcReadMsr(uint32_t msr) override;
  base::Status VcWriteMsr(uint32_t msr, uint64_t value) override;
  CpuidRegisters VcCpuid(uint32_t leaf, uint32_t subleaf) override;

  unsigned c_bit_ = 0;
  uint64_t sev_status_ = 0;
  Ghcb ghcb_;
  std::optional<PageStates> states_;
  bool up_ = false;
  bool broken_ = false;
  static constexpr uint64_t kClosed = UINT64_MAX;
  uint64_t window_at_ = kClosed;  // what the window shows
};

}  // namespace svsm
