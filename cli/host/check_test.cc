// SPDX-License-Identifier: Apache-2.0
#include "cli/host/check.h"

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "cli/host/fake_host.h"
#include "gtest/gtest.h"
#include "hosted/certificate_names.h"

namespace cli {
namespace {

HostReport Report(const Host& host) {
  HostQuestion question;
  question.qemus = {"qemu-system-x86_64", "/usr/libexec/qemu-kvm"};
  return CheckHost(host, question);
}

const HostRow* RowOf(const HostReport& report, std::string_view name) {
  for (const HostRow& row : report.rows) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

TEST(CheckHost, AHostThatHasEverything) {
  const HostReport report = Report(GoodHost());
  EXPECT_EQ(report.snp_guest, HostAnswer::kYes);
  EXPECT_EQ(report.way, LaunchWay::kIgvm);
  EXPECT_TRUE(report.emulated);
  EXPECT_EQ(RowOf(report, "processor")->seen,
            "EPYC 9004 (Genoa), family 0x19, model 0x11, stepping 1");
  EXPECT_EQ(RowOf(report, "SEV-SNP in CPUID")->seen,
            "C-bit 51, 1006 ASIDs, 127 of them for SEV-ES and SNP");
  // Not asked: only root may.
  EXPECT_EQ(RowOf(report, "firmware")->state, CheckState::kUnknown);
}

struct Case {
  std::string_view what;
  std::function<void(FakeHost&)> change;
  std::string_view row;
  CheckState state;
  std::string_view text;  // in what is seen or advised
  HostAnswer answer;
};

void Replace(FakeHost& host, const std::string& file, std::string_view from,
             std::string_view to) {
  std::string& text = host.files[file];
  ASSERT_TRUE(absl::StrContains(text, from));
  text = absl::StrReplaceAll(text, {{from, to}});
}

TEST(CheckHost, EachThingThatMatters) {
  const std::string module = "/sys/module/kvm_amd/parameters/";
  const std::string cpuinfo = "/proc/cpuinfo";
  const Case cases[] = {
      {"Intel",
       [&](FakeHost& host) {
         Replace(host, cpuinfo, "AuthenticAMD", "GenuineIntel");
       },
       "processor", CheckState::kNo, "SEV-SNP is AMD's", HostAnswer::kNo},
      {"a VM",
       [&](FakeHost& host) { Replace(host, cpuinfo, "vme", "hypervisor"); },
       "processor", CheckState::kNo, "a virtual machine", HostAnswer::kNo},
      {"a new processor",
       [&](FakeHost& host) {
         Replace(host, cpuinfo, "cpu family\t: 25", "cpu family\t: 26");
         Replace(host, cpuinfo, "model\t\t: 17", "model\t\t: 80");
       },
       "processor", CheckState::kWarning, "unknown to this version",
       HostAnswer::kYes},
      {"Milan", [&](FakeHost& host) { Replace(host, cpuinfo, ": 17", ": 1"); },
       "processor", CheckState::kWarning, "EPYC 7003 (Milan)",
       HostAnswer::kYes},
      {"Bergamo",
       [&](FakeHost& host) { Replace(host, cpuinfo, ": 17", ": 160"); },
       "processor", CheckState::kOk, "EPYC 97x4 or 8004", HostAnswer::kYes},
      {"no cpuinfo", [&](FakeHost& host) { host.files.erase(cpuinfo); },
       "processor", CheckState::kUnknown, "cannot be read",
       HostAnswer::kUnknown},
      {"a part without SNP",
       [](FakeHost& host) { host.cpuid->eax &= ~uint32_t{1 << 4}; },
       "SEV-SNP in CPUID", CheckState::kNo, "EAX 0x101fd6f: no",
       HostAnswer::kNo},
      {"no ASIDs", [](FakeHost& host) { host.cpuid->edx = 1; },
       "SEV-SNP in CPUID", CheckState::kNo, "SEV ASID space limit",
       HostAnswer::kNo},
      {"CPUID not read", [](FakeHost& host) { host.cpuid.reset(); },
       "SEV-SNP in CPUID", CheckState::kOk, "the kernel lists sev_snp",
       HostAnswer::kYes},
      {"off in the BIOS",
       [&](FakeHost& host) {
         Replace(host, cpuinfo, " sev_snp", "");
         host.files[module + "sev_snp"] = "N\n";
       },
       "SEV-SNP in Linux", CheckState::kNo, "RMP table reserved",
       HostAnswer::kNo},
      {"Debian 12's kernel",
       [](FakeHost& host) {
         host.files["/proc/sys/kernel/osrelease"] = "6.1.0-50-amd64\n";
       },
       "kernel", CheckState::kNo, "Linux 6.11 is the first", HostAnswer::kNo},
      {"the first kernel",
       [](FakeHost& host) {
         host.files["/proc/sys/kernel/osrelease"] = "6.11-rc1\n";
       },
       "kernel", CheckState::kOk, "6.11-rc1", HostAnswer::kYes},
      {"a kernel of another name",
       [](FakeHost& host) {
         host.files["/proc/sys/kernel/osrelease"] = "new\x1b[31m";
       },
       "kernel", CheckState::kUnknown, "new\\x1b[31m", HostAnswer::kUnknown},
      {"no module",
       [](FakeHost& host) { host.folders.erase("/sys/module/kvm_amd"); },
       "kvm_amd", CheckState::kNo, "modprobe kvm_amd", HostAnswer::kNo},
      {"SNP off in the module",
       [&](FakeHost& host) { host.files[module + "sev_snp"] = "N\n"; },
       "kvm_amd", CheckState::kNo, "sev=Y, sev_es=Y, sev_snp=N",
       HostAnswer::kNo},
      {"an old module",
       [&](FakeHost& host) { host.files.erase(module + "sev_snp"); }, "kvm_amd",
       CheckState::kNo, "sev_snp=not there", HostAnswer::kNo},
      {"a parameter that may not be read",
       [&](FakeHost& host) { host.unreadable = module + "sev_snp"; }, "kvm_amd",
       CheckState::kUnknown, "as root", HostAnswer::kUnknown},
      {"IOMMU in passthrough",
       [&](FakeHost& host) {
         host.files["/proc/cmdline"] = "quiet iommu=pt\n";
         host.files[module + "sev_snp"] = "N\n";
       },
       "IOMMU", CheckState::kNo, "passthrough", HostAnswer::kNo},
      {"IOMMU off",
       [&](FakeHost& host) {
         host.folders["/sys/class/iommu"].clear();
         host.files[module + "sev_snp"] = "N\n";
       },
       "IOMMU", CheckState::kNo, "BIOS: IOMMU on", HostAnswer::kNo},
      {"no /dev/kvm", [](FakeHost& host) { host.files.erase("/dev/kvm"); },
       "/dev/kvm", CheckState::kNo, "not there", HostAnswer::kNo},
      {"no /dev/sev", [](FakeHost& host) { host.files.erase("/dev/sev"); },
       "/dev/sev", CheckState::kNo, "CONFIG_CRYPTO_DEV_SP_PSP",
       HostAnswer::kNo},
      {"/dev/sev is root's",
       [](FakeHost& host) { host.unreadable = "/dev/sev"; }, "/dev/sev",
       CheckState::kWarning, "not for this user", HostAnswer::kYes},
      {"old firmware",
       [](FakeHost& host) {
         host.status = SnpPlatformStatus{.api_major = 1, .api_minor = 50};
       },
       "firmware", CheckState::kNo, "update the BIOS", HostAnswer::kNo},
      {"new firmware",
       [](FakeHost& host) {
         host.status = SnpPlatformStatus{.api_major = 1,
                                         .api_minor = 55,
                                         .build = 40,
                                         .vlek_enabled = true,
                                         .reported_tcb = 0x541700000000000a};
       },
       "firmware", CheckState::kOk,
       "API 1.55, build 40, reported TCB 541700000000000a, with a VLEK",
       HostAnswer::kYes},
      {"SMT on",
       [](FakeHost& host) {
         host.files["/sys/devices/system/cpu/smt/active"] = "1\n";
       },
       "SMT", CheckState::kWarning, "smt_enabled", HostAnswer::kYes},
      {"no RAM folder", [](FakeHost& host) { host.folders.erase("/dev/shm"); },
       "RAM files", CheckState::kWarning, "share=on", HostAnswer::kYes},
      {"a full RAM folder", [](FakeHost& host) { host.free_bytes = 1 << 20; },
       "RAM files", CheckState::kWarning, "/dev/shm, 1 MiB free",
       HostAnswer::kYes},
      {"no sockets",
       [](FakeHost& host) { host.folders.erase("/run/forelock"); },
       "proxy sockets", CheckState::kWarning, "is not there", HostAnswer::kYes},
      {"no certificates", [](FakeHost&) {}, "certificates",
       CheckState::kWarning, "/var/lib/forelock/certs, 0 files",
       HostAnswer::kYes},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.what);
    FakeHost host = GoodHost();
    each.change(host);
    const HostReport report = Report(host);
    EXPECT_EQ(NameOf(report.snp_guest), NameOf(each.answer));
    const HostRow* row = RowOf(report, each.row);
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(NameOf(row->state), NameOf(each.state)) << row->seen;
    EXPECT_TRUE(absl::StrContains(row->seen + "\n" + row->advice, each.text))
        << row->seen << "\n"
        << row->advice;
  }
}

TEST(CheckHost, WhatNoAmdHostHasIsNotLookedForElsewhere) {
  FakeHost host = GoodHost();
  Replace(host, "/proc/cpuinfo", "AuthenticAMD", "GenuineIntel");
  const HostReport report = Report(host);
  for (const auto name : {"kvm_amd", "/dev/sev", "firmware", "IOMMU"}) {
    EXPECT_EQ(RowOf(report, name), nullptr) << name;
  }
}

TEST(CheckHost, QemusAndTheWay) {
  const std::vector<std::string> snp = {"memory-backend-file", "sev-snp-guest"};
  std::vector<std::string> igvm = snp;
  igvm.push_back("igvm-cfg");
  const struct {
    std::string_view version;
    const std::vector<std::string>& objects;
    LaunchWay way;
    std::string_view seen;
  } rows[] = {
      {"7.2.22",
       {},
       LaunchWay::kNone,
       "qemu-system-x86_64 7.2: no SNP, no IGVM"},
      {"9.1.0", snp, LaunchWay::kRom,
       "qemu-system-x86_64 9.1: sev-snp-guest, no IGVM"},
      // Debian 13's.
      {"10.0.13", snp, LaunchWay::kRom,
       "qemu-system-x86_64 10.0: sev-snp-guest, no IGVM"},
      {"11.1.3", snp, LaunchWay::kRom,
       "qemu-system-x86_64 11.1: sev-snp-guest, no IGVM"},
      {"10.1.0", igvm, LaunchWay::kIgvm,
       "qemu-system-x86_64 10.1: sev-snp-guest, igvm-cfg"},
      // Of somebody's branch: its IGVM is another one.
      {"8.2.0", igvm, LaunchWay::kNone,
       "qemu-system-x86_64 8.2: sev-snp-guest, igvm-cfg"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.version);
    FakeHost host = GoodHost();
    host.AddQemu("qemu-system-x86_64", std::string(row.version), row.objects);
    const HostReport report = Report(host);
    EXPECT_EQ(NameOf(report.way), NameOf(row.way));
    EXPECT_EQ(RowOf(report, "QEMU")->seen, row.seen);
    EXPECT_EQ(report.snp_guest,
              row.way == LaunchWay::kNone ? HostAnswer::kNo : HostAnswer::kYes);
    EXPECT_TRUE(report.emulated);
  }
}

TEST(CheckHost, TheBestOfSeveralQemus) {
  FakeHost host = GoodHost();
  host.AddQemu("qemu-system-x86_64", "10.0.13", {"sev-snp-guest"});
  host.AddQemu("/usr/libexec/qemu-kvm", "10.1.0",
               {"sev-snp-guest", "igvm-cfg"});
  EXPECT_EQ(Report(host).way, LaunchWay::kIgvm);
}

TEST(CheckHost, AQemuThatIsNone) {
  FakeHost host = GoodHost();
  host.programs.clear();
  HostReport report = Report(host);
  EXPECT_EQ(RowOf(report, "QEMU")->state, CheckState::kNo);
  EXPECT_FALSE(report.emulated);
  EXPECT_EQ(report.snp_guest, HostAnswer::kNo);
  host.programs["qemu-system-x86_64 --version"].text = "\x1b[2Jhello";
  report = Report(host);
  EXPECT_EQ(RowOf(report, "QEMU")->seen,
            "qemu-system-x86_64: says no version of QEMU");
  EXPECT_EQ(RowOf(report, "QEMU for SNP")->state, CheckState::kNo);
  EXPECT_EQ(CheckHost(GoodHost(), {}).snp_guest, HostAnswer::kUnknown);
}

TEST(CheckHost, CertificatesOfThisChipAndTcb) {
  constexpr uint64_t kTcb = 0x541700000000000a;
  FakeHost host = GoodHost();
  auto& names = host.folders["/var/lib/forelock/certs"];
  names = {"note.txt", "vcek-00-0000000000000000.certs"};
  const auto row = [&] {
    const HostReport report = Report(host);
    return *RowOf(report, "certificates");
  };
  EXPECT_EQ(row().state, CheckState::kUnknown);
  EXPECT_TRUE(absl::StrContains(row().seen, "1 files; chip and TCB are not"));
  host.status =
      SnpPlatformStatus{.api_major = 1, .api_minor = 55, .reported_tcb = kTcb};
  ChipId chip{};
  chip[0] = 0xAB;
  host.chip = chip;
  EXPECT_EQ(row().state, CheckState::kWarning);
  EXPECT_TRUE(absl::StrContains(row().seen, "none is vcek-ab00"));
  names.insert(names.begin(), "vlek-Some-541700000000000a.certs");
  EXPECT_TRUE(absl::StrContains(row().seen, "a VLEK's"));
  names = {hosted::VcekName(chip, kTcb) + ".certs"};
  EXPECT_EQ(row().state, CheckState::kOk);
}

}  // namespace
}  // namespace cli
