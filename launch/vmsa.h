// SPDX-License-Identifier: Apache-2.0
//
// The register state that a launch measures as its VMSA page. KVM makes the
// page itself, from the registers that QEMU sets: a state with any other value
// starts all the same, but with another launch digest.
//
// Spec: AMD 24593 (APM volume 2), table "VMSA Layout"; sev/vmsa.h. The values
// are those of KVM (arch/x86/kvm/svm: init_vmcb(), sev_es_sync_vmsa()) and QEMU
// (target/i386: x86_cpu_reset_hold(), sev_apply_cpu_context()).
#pragma once

#include <stdint.h>

#include <array>

#include "sev/vmsa.h"

namespace launch {

using Vmsa = std::array<uint8_t, sev::kVmsaSize>;

// 32-bit protected mode, flat segments of 4 GiB, paging off, interrupts off,
// all other general registers 0: what an IGVM file starts the image with. Only
// fields that QEMU's IGVM loader hands on to KVM are set.
Vmsa FlatStartVmsa(uint32_t entry);

// Who resets the CPU; each has its own idea of a reset.
enum class Vmm : uint8_t { kQemu, kEc2, kGce };

struct ResetState {
  Vmm vmm = Vmm::kQemu;
  // The first CPU starts here; the others where a firmware says.
  uint32_t eip = 0xFFFFFFF0;
  // CPUID 1 EAX of the guest's CPU model: QEMU and KVM leave it in RDX.
  uint32_t cpu_signature = 0;
  uint64_t sev_features = sev::kSevFeatureSnp;
};

// Real mode at the reset vector: how a VMM without IGVM starts a flat ROM.
Vmsa ResetVectorVmsa(const ResetState& state);

}  // namespace launch
