// SPDX-License-Identifier: Apache-2.0
//
// Hypervisor: an honest host's answer to each VMGEXIT, as KVM gives it.
//
// Spec: AMD 56421 (GHCB) rev. 2.03. Where that leaves room, KVM decides
// (arch/x86/kvm/svm/sev.c); what KVM ends a VM for, and what only a mistake of
// the guest explains, is a violation that ends the run.
#pragma once

#include <stdint.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "machine/cpuid_table.h"
#include "machine/devices.h"
#include "machine/ending.h"
#include "machine/exit_hook.h"
#include "machine/ghcb_page.h"
#include "machine/host_view.h"
#include "machine/page_state.h"
#include "machine/port_bus.h"
#include "psp/firmware.h"
#include "sev/ghcb.h"

namespace machine {

struct HypervisorOptions {
  uint16_t min_version = 1, max_version = 2;
  uint8_t cbit_position = kCbitPosition;
  uint64_t features = sev::kFeatureSnp | sev::kFeatureApCreation;
  LargePages large_pages = LargePages::kKeep;
  CpuidTable cpuid;
  // The certificate table of the extended guest request (sev/cert_table.h).
  // Empty: the host has none.
  std::vector<uint8_t> certificates;
};

class Hypervisor {
 public:
  // All outlive it.
  Hypervisor(HypervisorOptions options, HostView& memory, PortBus& ports,
             psp::Firmware& firmware);

  // Fills in what `exit.msr` asks for. Not empty: the run ends here.
  std::optional<Ending> Identify(Exit& exit);
  // Answers an identified exit. Not empty: the run ends here.
  std::optional<Ending> Serve(Exit& exit);

  HypervisorOptions& options() { return options_; }
  uint64_t registered_ghcb() const { return registered_ghcb_; }

 private:
  // Cause and detail of a port access.
  void IdentifyIoio(Exit& exit);
  std::optional<Ending> ServeMsr(Exit& exit);
  std::optional<Ending> ServePage(Exit& exit);
  // False: SW_EXITINFO says why.
  bool Validate(const Exit& exit, GhcbPage& ghcb) const;
  std::optional<Ending> Dispatch(Exit& exit, GhcbPage& ghcb);

  void Ioio(Exit& exit, GhcbPage& ghcb);
  void StringIo(Exit& exit, uint16_t port, unsigned size, GhcbPage& ghcb);
  void Cpuid(Exit& exit, GhcbPage& ghcb);
  void Msr(Exit& exit, GhcbPage& ghcb);
  void Mmio(Exit& exit, GhcbPage& ghcb);
  // The guest's scratch area, `size` bytes of it; empty, and the answer given,
  // unless that is within the page's shared buffer. 0: as much as there is.
  base::MutableBytes Scratch(const Exit& exit, size_t size, GhcbPage& ghcb);
  void PageStateChange(Exit& exit, GhcbPage& ghcb);
  static std::optional<Ending> ApCreation(const Exit& exit, GhcbPage& ghcb);
  std::optional<Ending> GuestRequest(Exit& exit, GhcbPage& ghcb);
  std::optional<Ending> ExtendedGuestRequest(Exit& exit, GhcbPage& ghcb);
  std::optional<Ending> ForwardToFirmware(Exit& exit, GhcbPage& ghcb);

  HypervisorOptions options_;
  HostView& memory_;
  PortBus& ports_;
  psp::Firmware& firmware_;
  LocalApic apic_;
  std::map<uint64_t, uint64_t> msrs_;
  uint64_t registered_ghcb_ = 0;
  // What the four registers hold after the exit.
  uint64_t rax_ = 0, rbx_ = 0, rcx_ = 0, rdx_ = 0;
  bool has_certificate_buffer_ = false;  // The guest gave RAX and RBX.
};

}  // namespace machine
