// SPDX-License-Identifier: Apache-2.0
//
// Platform: how the machine is reached. One instance, chosen by the entry point
// and confirmed by the measured configuration and SEV_STATUS (design section
// 6); everything in svsm/ that needs a port, CPUID or a page's state asks it.
#pragma once

#include <stdint.h>

#include "base/result.h"
#include "svsm/boot/exception_frame.h"
#include "svsm/cpu/features.h"
#include "svsm/memory/interval_set.h"
#include "svsm/platform/guest_request_exit.h"

namespace svsm {

// As the entry passes it to SvsmMain.
enum class EntryPoint : uint8_t {
  kPvh = 0,  // stock QEMU: platform emulated
  kSnp = 1,  // the VMSA of an SNP launch
};

// PM1a control of ICH9 as QEMU's q35 sets it up; 0x2000 is SLP_EN, type 0: off.
inline constexpr uint16_t kPm1aControl = 0x604;
inline constexpr uint16_t kSoftOff = 0x2000;

class Platform {
 public:
  virtual EntryPoint entry_point() const = 0;

  // Port I/O. On SNP one exit each; a host that does not answer ends the boot.
  virtual uint8_t In8(uint16_t port) = 0;
  virtual void Out8(uint16_t port, uint8_t value) = 0;
  virtual void Out16(uint16_t port, uint16_t value) = 0;
  virtual void Out32(uint16_t port, uint32_t value) = 0;

  // On SNP from the CPUID page, else the instruction. Zeros for a leaf that is
  // not there.
  virtual CpuidRegisters Cpuid(uint32_t leaf, uint32_t subleaf) = 0;

  // Makes pages of the image readable and writable by the host. Their contents
  // are lost; they are zero afterwards.
  virtual base::Status Share(Range pages) = 0;
  // Makes them private again. They are zero afterwards.
  virtual base::Status Unshare(Range pages) = 0;
  // Takes RAM into use: private and validated, each page once. Contents are
  // whatever they are. A page that was accepted before is an error.
  virtual base::Status Accept(Range pages) = 0;

  // Kilohertz where secure TSC is on (GUEST_TSC_FREQ), else 0: unknown.
  virtual uint32_t tsc_kilohertz() = 0;

  // Null where there is none.
  virtual GuestRequestExit* guest_request_exit() = 0;

  // Undoes what the platform has shared for itself (the GHCB), for a kernel
  // that takes over. Afterwards only Stop() works; port I/O does nothing.
  virtual base::Status Retire() = 0;

  // Emulates the instruction of a #VC and moves RIP behind it.
  //   Any error: it is not one that the image handles.
  virtual base::Status HandleVc(ExceptionFrame& frame) = 0;

  // ORed into page-table entries for private memory: the C-bit on SNP, else 0.
  virtual uint64_t encryption_mask() const = 0;

  // The very last: tells the host why, in a way that cannot fail, and halts. An
  // ok `why` means that the boot ended in good order.
  [[noreturn]] virtual void Stop(base::Status why) = 0;

 protected:
  constexpr Platform() = default;
  ~Platform() = default;
  Platform(const Platform&) = delete;
  Platform& operator=(const Platform&) = delete;
};

// Set by SvsmMain before anything else. `platform` lives as long as the image.
Platform& ThePlatform();
void SetPlatform(Platform& platform);

}  // namespace svsm
