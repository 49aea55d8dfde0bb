// SPDX-License-Identifier: Apache-2.0
#include "cli/image_qemu.h"

#include <stdio.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "launch/elf.h"
#include "launch/image.h"
#include "launch/qemu_args.h"
#include "launch/rom.h"
#include "proto/config.h"
#include "sev/guest_policy.h"

namespace cli {
namespace {

using Kind = Option::Kind;

// What the image can use, and no VM has more of (MiB).
constexpr uint64_t kMinMemory = 32;
constexpr uint64_t kMaxMemory = 1 << 24;

constexpr Option kOptions[] = {
    {"proxy-socket", "PATH", Kind::kRequired,
     "forelock-proxy's socket for this VM"},
    {"ram", "FILE", Kind::kRequired,
     "the VM's memory that the proxy shares; make it anew for each start"},
    {"processor-socket", "PATH", Kind::kOptional,
     "forelock-emulator's socket; only and always for an emulated image"},
    {"kernel", "FILE", Kind::kOptional, "the kernel that the guest boots"},
    {"initrd", "FILE", Kind::kOptional, "its initramfs"},
    {"command-line", "FILE", Kind::kOptional, "the file with its command line"},
    {"disk", "FILE", Kind::kOptional, "a raw disk image, on virtio-blk"},
    {"memory", "MIB", Kind::kOptional, "the VM's memory; 512 if left out"},
    {"cpu", "MODEL", Kind::kOptional, "max if left out; for SNP, EPYC-v4"},
    {"accel", "tcg|kvm", Kind::kOptional, "tcg if left out; for SNP, kvm"},
    {"lines", "", Kind::kSwitch, "one argument a line, not quoted"},
};

absl::StatusOr<launch::QemuLaunch> LaunchOf(const std::string& path) {
  const auto file = launch::ReadFile(path, launch::Elf::kMaxFileSize);
  if (!file.ok()) return file.status();
  // EDGE: char may alias the bytes.
  const std::string_view text(reinterpret_cast<const char*>(file->data()),
                              file->size());
  if (absl::StartsWith(text, "IGVM")) return launch::QemuLaunch::kSnpIgvm;
  if (const auto rom = launch::RomKindOf(*file)) {
    return *rom == launch::RomKind::kSnp ? launch::QemuLaunch::kSnpRom
                                         : launch::QemuLaunch::kEmulatedRom;
  }
  const auto config = launch::ConfigOfImage(*file);
  if (!config.ok()) return config.status();
  if (config->platform == proto::Platform::kSnp) {
    return UsageError(absl::StrCat(
        path, ": platform is snp: QEMU launches the IGVM file made of it"));
  }
  return launch::QemuLaunch::kEmulatedPvh;
}

absl::StatusOr<launch::QemuMachine> MachineOf(const Arguments& arguments) {
  const auto launch = LaunchOf(arguments.positional(0));
  if (!launch.ok()) return launch.status();
  launch::QemuMachine machine;
  machine.launch = *launch;
  machine.guest_policy = sev::kPolicySmt | sev::kPolicyReservedMustBeOne;
  machine.image = arguments.positional(0);
  machine.ram = arguments.Value("ram");
  machine.proxy_socket = arguments.Value("proxy-socket");
  machine.processor_socket = arguments.Value("processor-socket");
  machine.kernel = arguments.Value("kernel");
  machine.initrd = arguments.Value("initrd");
  machine.command_line = arguments.Value("command-line");
  machine.disk = arguments.Value("disk");
  machine.cpu = arguments.Value("cpu");
  machine.accelerator = arguments.Value("accel");
  const bool snp = IsSnp(machine.launch);
  if (snp == arguments.Has("processor-socket")) {
    return UsageError(snp ? "--processor-socket is for emulated images"
                          : "an emulated image wants --processor-socket");
  }
  if (arguments.Has("accel") && machine.accelerator != "kvm" &&
      (snp || machine.accelerator != "tcg")) {
    return UsageError(snp ? "SNP wants --accel kvm"
                          : "--accel wants tcg or kvm");
  }
  if (arguments.Has("memory") &&
      (!absl::SimpleAtoi(arguments.Value("memory"), &machine.memory_mib) ||
       machine.memory_mib < kMinMemory || machine.memory_mib > kMaxMemory)) {
    return UsageError(absl::StrCat("--memory wants a number of MiB from ",
                                   kMinMemory, " to ", kMaxMemory));
  }
  return machine;
}

absl::Status QemuArgs(const Arguments& arguments) {
  const auto machine = MachineOf(arguments);
  if (!machine.ok()) return machine.status();
  const bool lines = arguments.Has("lines");
  std::string out;
  for (const std::string& word : launch::QemuArguments(*machine)) {
    if (lines) {
      absl::StrAppend(&out, word, "\n");
    } else {
      absl::StrAppend(&out, out.empty() ? "" : " ", launch::ShellQuoted(word));
    }
  }
  absl::PrintF("%s%s", out, lines ? "" : "\n");
  if (IsSnp(machine->launch)) {
    absl::FPrintF(
        stderr,
        "This wants QEMU %s or later on an SNP host. The authors "
        "had none: nobody has run it yet.\n",
        machine->launch == launch::QemuLaunch::kSnpIgvm ? "10.1" : "9.2");
  }
  return absl::OkStatus();
}

constexpr Command kCommands[] = {
    {"image qemu-args", "IMAGE", "print the QEMU command line for an image",
     "Prints one line for a shell. IMAGE is a configured ELF file of platform "
     "emulated, the IGVM file of an SNP image, whose guest policy and ID block "
     "are in it, or the flat ROM of either.\n\n"
     "The file of --ram has the VM's whole size and mode 0600, and is new at "
     "each start: an old one shows the next guest what the last one shared. "
     "Under SNP it holds nothing else; an emulated guest shares everything.",
     kOptions, &QemuArgs},
};

}  // namespace

std::span<const Command> ImageQemuCommands() { return kCommands; }

}  // namespace cli
