// SPDX-License-Identifier: Apache-2.0
//
// A host of a test: files, programs and answers in memory.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/host/host.h"

namespace cli {

class FakeHost : public Host {
 public:
  absl::StatusOr<std::string> Read(const std::string& path,
                                   size_t limit) const override {
    const auto found = files.find(path);
    if (found == files.end()) return Missing(path);
    if (unreadable == path) return absl::PermissionDeniedError(path);
    return found->second.substr(0, limit);
  }
  absl::StatusOr<std::vector<std::string>> List(
      const std::string& folder) const override {
    const auto found = folders.find(folder);
    if (found == folders.end()) return Missing(folder);
    return found->second;
  }
  FileRights RightsOf(const std::string& path) const override {
    const bool there = files.contains(path) || folders.contains(path);
    const bool may = there && unreadable != path;
    return {.exists = there, .readable = may, .writable = may};
  }
  absl::StatusOr<uint64_t> FreeBytes(const std::string& folder) const override {
    if (!folders.contains(folder)) return Missing(folder);
    return free_bytes;
  }
  std::optional<CpuidLeaf> Cpuid(uint32_t) const override { return cpuid; }
  absl::StatusOr<SnpPlatformStatus> PlatformStatus() const override {
    return status;
  }
  absl::StatusOr<ChipId> Chip() const override { return chip; }
  absl::StatusOr<hosted::ChildOutput> Run(
      std::span<const std::string> words) const override {
    const auto found = programs.find(absl::StrJoin(words, " "));
    if (found == programs.end()) return Missing(words[0]);
    return found->second;
  }

  // A QEMU that answers, with these objects.
  void AddQemu(const std::string& program, const std::string& version,
               const std::vector<std::string>& objects) {
    programs[program + " --version"].text =
        absl::StrCat("QEMU emulator version ", version, "\n");
    programs[program + " -object help"].text =
        absl::StrCat("List of user creatable objects:\n  ",
                     absl::StrJoin(objects, "\n  "), "\n");
  }

  std::map<std::string, std::string> files;
  std::map<std::string, std::vector<std::string>> folders;
  std::string unreadable;  // this path
  std::map<std::string, hosted::ChildOutput> programs;
  std::optional<CpuidLeaf> cpuid;
  absl::StatusOr<SnpPlatformStatus> status =
      absl::PermissionDeniedError("/dev/sev: Permission denied");
  absl::StatusOr<ChipId> chip =
      absl::PermissionDeniedError("/dev/sev: Permission denied");
  uint64_t free_bytes = uint64_t{8} << 30;

 private:
  static absl::Status Missing(std::string_view what) {
    return absl::NotFoundError(
        absl::StrCat(what, ": No such file or directory"));
  }
};

// An EPYC 9004 with everything on: kernel 6.12, QEMU 10.1 with IGVM.
inline FakeHost GoodHost() {
  FakeHost host;
  host.files = {
      {"/proc/cpuinfo",
       "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\n"
       "model\t\t: 17\nmodel name\t: AMD EPYC 9354 32-Core Processor\n"
       "stepping\t: 1\nflags\t\t: fpu vme svm sev sev_es sev_snp\n\n"
       "processor\t: 1\n"},
      {"/proc/sys/kernel/osrelease", "6.12.94+deb13-amd64\n"},
      {"/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet\n"},
      {"/sys/module/kvm_amd/parameters/sev", "Y\n"},
      {"/sys/module/kvm_amd/parameters/sev_es", "Y\n"},
      {"/sys/module/kvm_amd/parameters/sev_snp", "Y\n"},
      {"/sys/devices/system/cpu/smt/active", "0\n"},
      {"/dev/kvm", ""},
      {"/dev/sev", ""},
  };
  host.folders = {
      {"/sys/module/kvm_amd", {"parameters"}},
      {"/sys/class/iommu", {"ivhd0", "ivhd1"}},
      {"/dev/shm", {}},
      {"/run/forelock", {}},
      {"/var/lib/forelock/certs", {}},
  };
  host.cpuid =
      CpuidLeaf{.eax = 0x0101FD7F, .ebx = 0x4173, .ecx = 1006, .edx = 128};
  host.AddQemu(
      "qemu-system-x86_64", "10.1.2",
      {"igvm-cfg", "memory-backend-file", "sev-guest", "sev-snp-guest"});
  return host;
}

}  // namespace cli
