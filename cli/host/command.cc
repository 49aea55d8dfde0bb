// SPDX-License-Identifier: Apache-2.0
#include "cli/host/command.h"

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "cli/host/check.h"
#include "cli/host/host.h"
#include "nlohmann/json.hpp"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;

constexpr hosted::Option kOptions[] = {
    {"qemu", "PROGRAM", Kind::kRepeated,
     "a QEMU to ask; qemu-system-x86_64 and /usr/libexec/qemu-kvm if left out"},
    {"certificates", "DIR", Kind::kOptional,
     "the proxy's folder of .certs files; /var/lib/forelock/certs if left out"},
    {"sockets", "DIR", Kind::kOptional,
     "the folder of the proxy's sockets; /run/forelock if left out"},
    {"ram", "DIR", Kind::kOptional,
     "the folder of the VMs' RAM files; /dev/shm if left out"},
    {"root", "DIR", Kind::kOptional,
     "look at a copy of a host's /proc, /sys and so on below DIR, with its "
     "CPUID in DIR/cpuid (`cpuid -1 -r`); asks only the QEMUs that --qemu "
     "names"},
    {"json", "", Kind::kSwitch, "one JSON object instead"},
};

constexpr hosted::ExitCode kExitCodes[] = {
    {hosted::kExitOk, "by all that could be seen, an SNP guest could start"},
    {hosted::kExitInvalid, "none could: a row says no"},
    {hosted::kExitUnverifiable, "what decides could not be seen"},
};

std::string_view WayText(LaunchWay way) {
  switch (way) {
    case LaunchWay::kNone:
      return "none: no QEMU here launches SNP guests";
    case LaunchWay::kRom:
      return "a ROM, by -bios (forelock image rom)";
    case LaunchWay::kIgvm:
      return "an IGVM file (forelock image build), or a ROM (forelock image "
             "rom)";
  }
  __builtin_trap();
}

void PrintTable(const HostReport& report) {
  for (const HostRow& row : report.rows) {
    absl::PrintF("%-8s %-17s %s\n", NameOf(row.state), row.name, row.seen);
    if (row.state != CheckState::kOk && !row.advice.empty()) {
      absl::PrintF("%-8s %-17s %s\n", "", "", row.advice);
    }
  }
  absl::PrintF("\nSNP guests       %s\n", NameOf(report.snp_guest));
  absl::PrintF("launched by      %s\n", WayText(report.way));
  absl::PrintF("emulated guests  %s (tests and demo only)\n",
               report.emulated ? "yes" : "no: no QEMU answers");
}

void PrintJson(const HostReport& report) {
  nlohmann::ordered_json json;
  json["snp_guest"] = std::string(NameOf(report.snp_guest));
  json["launch"] = std::string(NameOf(report.way));
  json["emulated_guest"] = report.emulated;
  json["checks"] = nlohmann::ordered_json::array();
  for (const HostRow& row : report.rows) {
    nlohmann::ordered_json check = {{"name", row.name},
                                    {"state", std::string(NameOf(row.state))},
                                    {"seen", row.seen}};
    if (!row.advice.empty()) check["advice"] = row.advice;
    json["checks"].push_back(std::move(check));
  }
  absl::PrintF("%s\n", json.dump());
}

absl::StatusOr<int> Check(const hosted::Arguments& arguments) {
  const bool copy = arguments.Has("root");
  const std::unique_ptr<Host> host =
      copy ? HostCopy(arguments.Value("root")) : ThisHost();
  HostQuestion question;
  const auto qemus = arguments.Values("qemu");
  question.qemus.assign(qemus.begin(), qemus.end());
  if (qemus.empty() && !copy) {
    question.qemus = {"qemu-system-x86_64", "/usr/libexec/qemu-kvm"};
  }
  const struct {
    std::string_view option;
    std::string& folder;
  } folders[] = {{"certificates", question.certificates},
                 {"sockets", question.sockets},
                 {"ram", question.ram}};
  for (const auto& row : folders) {
    if (arguments.Has(row.option)) row.folder = arguments.Value(row.option);
  }
  const HostReport report = CheckHost(*host, question);
  if (arguments.Has("json")) {
    PrintJson(report);
  } else {
    PrintTable(report);
  }
  switch (report.snp_guest) {
    case HostAnswer::kYes:
      return hosted::kExitOk;
    case HostAnswer::kNo:
      return hosted::kExitInvalid;
    case HostAnswer::kUnknown:
      break;
  }
  return hosted::kExitUnverifiable;
}

constexpr hosted::Command kCommands[] = {
    {"host check", "", "look whether this host could start SNP guests",
     "Looks at processor, kernel, KVM, secure processor, IOMMU, SMT, QEMU, and "
     "what forelock-proxy needs; says of each what was seen and what to do, "
     "then whether an SNP guest could start and whether by an IGVM file or by "
     "a ROM. It changes nothing, and needs no rights: what it may not read is "
     "unknown. As root it also asks the firmware for its version and TCB "
     "(SNP_PLATFORM_STATUS) and for the chip's id.\n\n"
     "A yes is no promise. The list was made from the sources of Linux and "
     "QEMU, and the authors had no such host (docs/hardware.md). Whether the "
     "host's firmware, certificates and settings please an owner is decided "
     "by a verifier.",
     kOptions, &Check, kExitCodes},
};

}  // namespace

std::span<const hosted::Command> HostCommands() { return kCommands; }

}  // namespace cli
