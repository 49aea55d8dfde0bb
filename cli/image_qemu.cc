// SPDX-License-Identifier: Apache-2.0
#include "cli/image_qemu.h"

#include <stdio.h>

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "boot/rules.h"
#include "cli/boot_warnings.h"
#include "cli/error.h"
#include "cli/files.h"
#include "cli/image_input.h"
#include "cli/reasons.h"
#include "hosted/child.h"
#include "hosted/text.h"
#include "launch/id_block_check.h"
#include "launch/qemu_args.h"
#include "launch/rom.h"
#include "proto/config.h"
#include "sev/guest_policy.h"
#include "sev/id_block.h"
#include "sev/page_info.h"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;

// What the image can use, and no VM has more of (MiB).
constexpr uint64_t kMinMemory = 32;
constexpr uint64_t kMaxMemory = 1 << 24;

std::string Base64(base::Bytes bytes) {
  return absl::Base64Escape(hosted::AsText(bytes));
}

constexpr hosted::Option kOptions[] = {
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
    {"id-block", "FILE", Kind::kOptional, "of the ROM of an SNP image"},
    {"id-auth", "FILE", Kind::kOptional, "what signs that ID block"},
    {"qemu", "PROGRAM", Kind::kOptional,
     "the QEMU that the line is for, asked for its version; "
     "qemu-system-x86_64 if left out"},
    {"qemu-version", "X.Y", Kind::kOptional,
     "the line is for this version; nobody is asked"},
    {"lines", "", Kind::kSwitch, "one argument a line, not quoted"},
};

absl::StatusOr<launch::QemuLaunch> LaunchOf(const ImageInput& image,
                                            const std::string& path) {
  if (image.kind() == ImageKind::kIgvm) return launch::QemuLaunch::kSnpIgvm;
  if (image.kind() == ImageKind::kRom) {
    return launch::RomKindOf(image.bytes()) == launch::RomKind::kEmulated
               ? launch::QemuLaunch::kEmulatedRom
               : launch::QemuLaunch::kSnpRom;
  }
  const auto config = image.Config();
  if (!config.ok()) return config.status();
  if (config->platform == proto::Platform::kSnp) {
    return hosted::UsageError(absl::StrCat(
        path, ": platform is snp: QEMU launches the IGVM file made of it"));
  }
  return launch::QemuLaunch::kEmulatedPvh;
}

// The guest policy, and the ID block that is not in the image.
absl::Status AddLaunch(const ImageInput& image,
                       const hosted::Arguments& arguments,
                       launch::QemuMachine& machine) {
  const bool has_block = arguments.Has("id-block");
  if (has_block != arguments.Has("id-auth")) {
    return hosted::UsageError("--id-block and --id-auth belong together");
  }
  if (has_block && machine.launch != launch::QemuLaunch::kSnpRom) {
    return hosted::UsageError(
        "--id-block is for the ROM of an SNP image: QEMU takes that of an IGVM "
        "file from the file alone (forelock image sign)");
  }
  if (machine.launch == launch::QemuLaunch::kSnpIgvm) {
    const auto plan = image.Plan(proto::Platform::kSnp);
    if (!plan.ok()) return plan.status();
    machine.guest_policy = plan->policy;
  }
  if (!has_block) return absl::OkStatus();
  auto block = ReadInput(arguments.Value("id-block"), sev::kIdBlockSize);
  if (!block.ok()) return block.status();
  auto auth = ReadInput(arguments.Value("id-auth"), sev::kIdAuthSize);
  if (!auth.ok()) return auth.status();
  const launch::PlanIdBlock both = {.id_block = *std::move(block),
                                    .id_auth = *std::move(auth)};
  // A ROM's digest depends on the CPU model, its policy is the block's.
  if (const auto findings = launch::CheckIdBlock(both, std::nullopt);
      !findings.empty()) {
    return hosted::UsageError(
        absl::StrCat("--id-block, --id-auth: ", findings[0]));
  }
  machine.guest_policy = sev::ParseIdBlock(both.id_block)->policy;
  machine.has_author_key = sev::ParseIdAuth(both.id_auth)->has_author_key;
  machine.id_block_base64 = Base64(both.id_block);
  machine.id_auth_base64 = Base64(both.id_auth);
  return absl::OkStatus();
}

// --- For which QEMU.

absl::StatusOr<launch::QemuVersion> AskQemu(const std::string& program) {
  const std::vector<std::string> words = {program, "--version"};
  const auto output = hosted::RunChild(words);
  if (!output.ok()) return output.status();
  const auto version = launch::ParseQemuVersion(output->text);
  if (output->exit_code == 0 && version) return *version;
  const std::string_view line =
      std::string_view(output->text).substr(0, output->text.find('\n'));
  return absl::UnknownError(absl::StrCat(
      hosted::Printable(program),
      ": says no version of QEMU: ", hosted::Printable(line.substr(0, 80))));
}

std::string Text(const launch::QemuVersion& version) {
  return absl::StrCat(version.major, ".", version.minor);
}

// Of the options; else of the QEMU at hand, which need not be the host's.
absl::Status SetVersion(const hosted::Arguments& arguments,
                        launch::QemuMachine& machine) {
  if (arguments.Has("qemu")) machine.program = arguments.Value("qemu");
  if (arguments.Has("qemu-version")) {
    const std::string text = arguments.Value("qemu-version");
    const auto version = launch::ParseQemuVersion(text);
    if (!version || !absl::ascii_isdigit(static_cast<unsigned char>(text[0]))) {
      return hosted::UsageError("--qemu-version wants a version such as 10.1");
    }
    machine.version = *version;
  } else if (const auto asked = AskQemu(machine.program); asked.ok()) {
    machine.version = *asked;
  } else if (arguments.Has("qemu")) {
    return Error(kQemuNotAsked, asked.status().message());
  } else {
    machine.version = launch::FirstFor(machine.launch);
    absl::FPrintF(stderr,
                  "warning: the line is for QEMU %s: %s; give --qemu or "
                  "--qemu-version\n",
                  Text(machine.version), asked.status().message());
  }
  const launch::QemuVersion first = launch::FirstFor(machine.launch);
  if (machine.version < first) {
    absl::FPrintF(stderr,
                  "warning: QEMU %s cannot launch this image: the line is for "
                  "%s\n",
                  Text(machine.version), Text(first));
  }
  return absl::OkStatus();
}

absl::StatusOr<launch::QemuMachine> MachineOf(
    const ImageInput& image, const hosted::Arguments& arguments) {
  const auto launch = LaunchOf(image, arguments.positional(0));
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
    return hosted::UsageError(
        snp ? "--processor-socket is for emulated images"
            : "an emulated image wants --processor-socket");
  }
  if (arguments.Has("accel") && machine.accelerator != "kvm" &&
      (snp || machine.accelerator != "tcg")) {
    return hosted::UsageError(snp ? "SNP wants --accel kvm"
                                  : "--accel wants tcg or kvm");
  }
  if (arguments.Has("memory") &&
      (!absl::SimpleAtoi(arguments.Value("memory"), &machine.memory_mib) ||
       machine.memory_mib < kMinMemory || machine.memory_mib > kMaxMemory)) {
    return hosted::UsageError(
        absl::StrCat("--memory wants a number of MiB from ", kMinMemory, " to ",
                     kMaxMemory));
  }
  absl::Status status = AddLaunch(image, arguments, machine);
  if (status.ok()) status = SetVersion(arguments, machine);
  if (!status.ok()) return status;
  return machine;
}

// --- What the VM would boot.

// A file as QEMU will read it. Empty: nothing is said of what is no file.
absl::StatusOr<std::vector<uint8_t>> ReadBootFile(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return absl::NotFoundError(
        absl::StrCat(hosted::Printable(path), ": not looked at: no such file"));
  }
  auto bytes = ReadInput(path, boot::kInitrdSize.max);
  if (bytes.ok()) return bytes;
  return absl::UnknownError(
      absl::StrCat("not looked at: ", bytes.status().message()));
}

// What of the image is in the VM's memory, as far as the launch says it: a ROM
// is copied there later.
uint64_t SizeInMemory(const ImageInput& image, launch::QemuLaunch launch) {
  if (image.kind() == ImageKind::kRom) return 0;
  const auto plan = image.Plan(IsSnp(launch) ? proto::Platform::kSnp
                                             : proto::Platform::kEmulated);
  return plan.ok() ? plan->pages.size() * sev::kMeasuredPageSize : 0;
}

uint64_t RoomForSecrets(const ImageInput& image) {
  const auto config = image.Config();
  uint64_t room = 0;
  if (!config.ok()) return room;
  for (size_t i = 0; i < config->resources.size(); ++i) {
    room += config->resources[i].max_size;
  }
  return room;
}

void WarnOfBoot(const ImageInput& image, const launch::QemuMachine& machine) {
  constexpr uint64_t kMiB = 1 << 20;
  GivenBoot boot = {.memory = machine.memory_mib * kMiB,
                    .svsm = SizeInMemory(image, machine.launch),
                    .secrets = RoomForSecrets(image)};
  std::vector<std::string> warnings;
  std::array<std::vector<uint8_t>, 3> files;
  const struct {
    const std::string& path;
    std::optional<GivenFile>& given;
  } rows[] = {{machine.kernel, boot.kernel},
              {machine.initrd, boot.initrd},
              {machine.command_line, boot.command_line}};
  for (size_t i = 0; i < files.size(); ++i) {
    if (rows[i].path.empty()) continue;
    auto bytes = ReadBootFile(rows[i].path);
    if (!bytes.ok()) {
      warnings.emplace_back(bytes.status().message());
      continue;
    }
    files[i] = *std::move(bytes);
    rows[i].given = {rows[i].path, files[i]};
  }
  if (machine.kernel.empty()) {
    warnings.push_back(
        "without --kernel the guest refuses to boot: SL20 the host offers no "
        "kernel");
  }
  PrintWarnings(warnings);
  PrintWarnings(BootWarnings(boot));
  const auto config = image.Config();
  if (!config.ok()) return;
  PrintWarnings(ExpectedBootWarnings(machine.image, *config, boot));
}

absl::Status QemuArgs(const hosted::Arguments& arguments) {
  const auto image = ImageInput::Load(arguments.positional(0));
  if (!image.ok()) return image.status();
  const auto machine = MachineOf(*image, arguments);
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
  WarnOfBoot(*image, *machine);
  WarnIfKvmReplaces(*image, {});
  if (IsSnp(machine->launch)) {
    absl::FPrintF(stderr,
                  "This wants QEMU %s or later on an SNP host. The authors "
                  "had none: nobody has run it yet.\n",
                  Text(launch::FirstFor(machine->launch)));
  }
  return absl::OkStatus();
}

constexpr hosted::Command kCommands[] = {
    {"image qemu-args", "IMAGE", "print the QEMU command line for an image",
     "Prints one line for a shell. IMAGE is a configured ELF file of platform "
     "emulated, the IGVM file of an SNP image, whose guest policy and ID block "
     "are in it, or the flat ROM of either.\n\n"
     "The file of --ram has the VM's whole size and mode 0600, and is new at "
     "each start: an old one shows the next guest what the last one shared. "
     "Under SNP it holds nothing else; an emulated guest shares everything.\n\n"
     "The line is for the QEMU at hand, which is asked for its version: from "
     "9.2 on, reconnect is called reconnect-ms. A QEMU that cannot launch the "
     "image at all is passed over: SNP wants 9.1, and 10.1 built with IGVM for "
     "an IGVM file. If the VM's host is another machine, give "
     "--qemu-version.\n\n"
     "Warns, on standard error, of boot files that the guest or Linux would "
     "always refuse, and of a VM with too little memory for them.",
     kOptions, &QemuArgs},
};

}  // namespace

std::span<const hosted::Command> ImageQemuCommands() { return kCommands; }

}  // namespace cli
