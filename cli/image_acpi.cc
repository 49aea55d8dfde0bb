// SPDX-License-Identifier: Apache-2.0
#include "cli/image_acpi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/error.h"
#include "cli/files.h"
#include "cli/image_input.h"
#include "cli/quiet_qemu.h"
#include "cli/reasons.h"
#include "hosted/child.h"
#include "hosted/text.h"
#include "launch/image.h"
#include "launch/qemu_args.h"
#include "launch/rom.h"
#include "proto/config.h"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;

constexpr uint64_t kMaxMemory = 1 << 24;  // MiB
constexpr std::string_view kDigestLine =
    "forelock: boot manifest: acpi sha384:";
constexpr size_t kDigestDigits = 96;
constexpr std::string_view kFailedLine = "forelock: failed: ";
// More than QEMU and the guest say until then.
constexpr size_t kMaxOutput = 1 << 20;
constexpr std::chrono::seconds kPatience{120};

constexpr hosted::Option kOptions[] = {
    {"kernel", "FILE", Kind::kOptional,
     "a kernel that the guest takes; wanted unless QEMU... names one"},
    {"disk", "FILE", Kind::kOptional,
     "the VM has the disk of `image qemu-args`; FILE is not opened"},
    {"memory", "MIB", Kind::kOptional, "the VM's memory; 512 if left out"},
    {"cpu", "MODEL", Kind::kOptional, "max if left out"},
    {"accel", "tcg|kvm", Kind::kOptional, "tcg if left out"},
};

absl::Status NotSaid(std::string_view why) {
  return Error(kAcpiNotSaid, why, absl::StatusCode::kUnavailable);
}

// A folder of our own, while this lives.
class Scratch {
 public:
  Scratch() {
    std::error_code error;
    const auto folder = std::filesystem::temp_directory_path(error);
    path_ = (error ? "/tmp" : folder.string()) + "/forelock-XXXXXX";
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~Scratch() { Remove(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }
  void Remove() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    path_.clear();
  }

 private:
  std::string path_;
};

// What follows `start` at the beginning of a whole line.
std::optional<std::string> LineAfter(std::string_view text,
                                     std::string_view start) {
  for (size_t at = text.find(start); at != std::string_view::npos;
       at = text.find(start, at + 1)) {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return std::nullopt;
    if (at != 0 && text[at - 1] != '\n') continue;
    return std::string(absl::StripAsciiWhitespace(
        text.substr(at + start.size(), end - at - start.size())));
  }
  return std::nullopt;
}

// Runs the machine until its guest has said the digest.
absl::StatusOr<std::string> Hear(const std::vector<std::string>& words,
                                 Scratch& scratch) {
  const auto output = hosted::RunChild(
      words, {.time = kPatience,
              .output = kMaxOutput,
              .enough =
                  [](std::string_view text) {
                    return LineAfter(text, kDigestLine).has_value() ||
                           LineAfter(text, kFailedLine).has_value();
                  },
              .on_signal = [&scratch] { scratch.Remove(); }});
  if (absl::IsDeadlineExceeded(output.status())) {
    return NotSaid("it took over two minutes");
  }
  if (absl::IsAborted(output.status())) {
    return NotSaid(output.status().message());
  }
  if (!output.ok()) {
    return NotSaid(
        absl::StrCat("it cannot be started: ", output.status().message()));
  }
  const auto digest = LineAfter(output->text, kDigestLine);
  if (digest.has_value() && digest->size() == kDigestDigits) return *digest;
  const auto failed = LineAfter(output->text, kFailedLine);
  return NotSaid(failed.has_value() ? hosted::Printable(*failed)
                                    : hosted::LastWords(output->text));
}

// The same SVSM, which needs neither processor nor proxy to say what it
// measures, and boots nothing: it expects files that nobody has.
absl::StatusOr<std::vector<uint8_t>> Talkative(const ImageInput& image,
                                               proto::Config config) {
  config.platform = proto::Platform::kEmulated;
  config.on_failure = proto::OnFailure::kBootWithoutSecrets;
  config.secure_processor_deadline = base::Milliseconds{1};
  proto::ExpectedBoot nothing;
  for (proto::BootDigest* digest : {&nothing.kernel, &nothing.initrd,
                                    &nothing.command_line, &nothing.acpi}) {
    digest->fill(0xFF);
  }
  config.expected_boot = nothing;
  std::vector<uint8_t> bytes(image.bytes().begin(), image.bytes().end());
  const absl::Status status =
      launch::ConfigureImage(bytes, config, launch::Reconfigure::kAllow);
  if (!status.ok()) return status;
  return bytes;
}

absl::StatusOr<std::vector<std::string>> LineGiven(
    const hosted::Arguments& arguments, bool snp) {
  const auto positionals = arguments.positionals();
  if (positionals.size() > 1) {
    for (const hosted::Option& option : kOptions) {
      if (arguments.Has(option.name)) {
        return hosted::UsageError(
            absl::StrCat("--", option.name, " or QEMU..., not both"));
      }
    }
    return std::vector<std::string>(positionals.begin() + 1, positionals.end());
  }
  if (!arguments.Has("kernel")) {
    return hosted::UsageError("wants --kernel, or a QEMU command line");
  }
  launch::QemuMachine machine;
  machine.launch =
      snp ? launch::QemuLaunch::kSnpRom : launch::QemuLaunch::kEmulatedPvh;
  machine.kernel = arguments.Value("kernel");
  machine.disk = arguments.Value("disk");
  machine.cpu = arguments.Has("cpu") ? arguments.Value("cpu") : "max";
  machine.accelerator =
      arguments.Has("accel") ? arguments.Value("accel") : "tcg";
  if (arguments.Has("memory") &&
      (!absl::SimpleAtoi(arguments.Value("memory"), &machine.memory_mib) ||
       machine.memory_mib == 0 || machine.memory_mib > kMaxMemory)) {
    return hosted::UsageError("--memory wants a number of MiB");
  }
  return launch::QemuArguments(machine);
}

absl::Status AcpiDigest(const hosted::Arguments& arguments) {
  const auto image = ImageInput::Load(arguments.positional(0));
  if (!image.ok()) return image.status();
  if (image->kind() != ImageKind::kElf) {
    return hosted::UsageError(
        absl::StrCat(hosted::Printable(arguments.positional(0)),
                     ": wants the configured ELF file that it was made of"));
  }
  const auto config = image->Config();
  if (!config.ok()) return config.status();
  if (config->acpi == proto::Acpi::kNone) {
    return hosted::UsageError(
        "the image is configured with acpi = \"none\", and its policy says the "
        "same: there is no digest");
  }
  const auto line =
      LineGiven(arguments, config->platform == proto::Platform::kSnp);
  if (!line.ok()) return line.status();
  const auto elf = Talkative(*image, *config);
  if (!elf.ok()) return elf.status();
  const auto rom = launch::MakeRom(*elf);
  if (!rom.ok()) return rom.status();
  Scratch scratch;
  if (scratch.path().empty()) {
    return Error(kFileUnwritable, strerror(errno));
  }
  const QuietImage files = {.elf = scratch.path() + "/image.elf",
                            .rom = scratch.path() + "/image.rom"};
  absl::Status status = WriteOutput(files.elf, *elf);
  if (status.ok()) status = WriteOutput(files.rom, *rom);
  if (!status.ok()) return status;
  const auto quiet = MakeQuiet(*line, files);
  if (!quiet.ok()) return quiet.status();
  const auto digest = Hear(quiet->words, scratch);
  if (!digest.ok()) return digest.status();
  absl::PrintF("sha384:%s\n", *digest);
  if (quiet->snp || config->platform == proto::Platform::kSnp) {
    absl::FPrintF(
        stderr,
        "warning: of this machine without SEV-SNP: nobody has compared it with "
        "an SNP launch's; the guest prints that one at its first boot\n");
  }
  return absl::OkStatus();
}

constexpr hosted::Command kCommands[] = {
    {"image acpi-digest", "IMAGE.elf [QEMU...]",
     "print the digest of the ACPI tables that a machine gets",
     "Starts QEMU with the configured image IMAGE.elf, without proxy, network "
     "or disk content, until the guest says what it measures, and ends it: the "
     "digest that `boot.acpi` of a policy names. A few seconds; nothing boots. "
     "Run it with the QEMU of the host: it makes the tables.\n\n"
     "The tables depend on QEMU's version and machine, on memory, CPUs, "
     "devices and their slots. The machine is that of `forelock image "
     "qemu-args` with the same options. For another, give its command line "
     "behind `--`:\n\n"
     "  forelock image acpi-digest vm1.elf -- qemu-system-x86_64 -smp 2 ...\n\n"
     "What of it reaches out of the machine (sockets, networks, disks, files "
     "of RAM, monitors) is replaced, the devices stay.\n\n"
     "For an image of platform snp it is the digest of the same machine "
     "without SEV-SNP, with SMM off and, as in that launch, no firmware. "
     "Nobody has compared it with an SNP host's.",
     kOptions, &AcpiDigest},
};

}  // namespace

std::span<const hosted::Command> ImageAcpiCommands() { return kCommands; }

}  // namespace cli
