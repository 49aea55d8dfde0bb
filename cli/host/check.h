// SPDX-License-Identifier: Apache-2.0
//
// Whether a host could start an SNP guest, row by row, and how. Written from
// the sources of Linux and QEMU: no such host was seen.
//
// Source: Linux 6.12 arch/x86/kernel/cpu/amd.c (bsp_determine_snp()),
// arch/x86/virt/svm/sev.c, drivers/iommu/amd/init.c (iommu_snp_enable()),
// arch/x86/kvm/svm/sev.c (sev_hardware_setup()), include/linux/psp-sev.h;
// docs/hardware.md, "The host".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/host/host.h"

namespace cli {

enum class CheckState : uint8_t {
  kOk,
  kWarning,  // it may matter; no guest is kept from starting
  kNo,       // no SNP guest starts
  kUnknown,  // it could not be seen
};
std::string_view NameOf(CheckState state);

struct HostRow {
  std::string name;
  CheckState state = CheckState::kUnknown;
  std::string seen;    // fit to be shown
  std::string advice;  // may be empty
};

enum class HostAnswer : uint8_t { kYes, kNo, kUnknown };
std::string_view NameOf(HostAnswer answer);

enum class LaunchWay : uint8_t { kNone, kRom, kIgvm };
std::string_view NameOf(LaunchWay way);

struct HostReport {
  std::vector<HostRow> rows;
  // No if a row is; unknown if one that decides is; else yes.
  HostAnswer snp_guest = HostAnswer::kUnknown;
  LaunchWay way = LaunchWay::kNone;  // by the QEMUs alone
  bool emulated = false;             // some QEMU answers
};

struct HostQuestion {
  std::vector<std::string> qemus;  // programs to ask
  std::string certificates = "/var/lib/forelock/certs";
  std::string sockets = "/run/forelock";
  std::string ram = "/dev/shm";
};

HostReport CheckHost(const Host& host, const HostQuestion& question);

}  // namespace cli
