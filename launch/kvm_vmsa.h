// SPDX-License-Identifier: Apache-2.0
//
// What QEMU and KVM make of the VMSA of an IGVM file. KVM does not take the
// page: QEMU loads some of its fields into a virtual CPU, KVM writes a VMSA of
// its own from that, and the firmware measures KVM's. A file with another value
// has a digest that no such host reports.
//
// Source, read for facts: QEMU 10.2 target/i386/sev.c (check_vmsa_supported(),
// sev_apply_cpu_context()), helper.c, kvm/kvm.c; Linux 6.12 arch/x86/kvm/svm
// (sev_es_sync_vmsa(), svm_set_cr0(), svm_set_cr4(), svm_set_efer(),
// svm_set_segment()). COCONUT-SVSM's `igvmmeasure --check-kvm` is a peer.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "sev/vmsa.h"

namespace launch {

// One line a field that does not come through as it is: its name, the file's
// value, and what KVM measures instead or who refuses it. Empty: none known.
std::vector<std::string> KvmVmsaFindings(
    std::span<const uint8_t, sev::kVmsaSize> vmsa);

}  // namespace launch
