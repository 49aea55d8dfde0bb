// SPDX-License-Identifier: Apache-2.0
#include "cli/image_rom.h"

#include <stdio.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "cli/files.h"
#include "cli/image_input.h"
#include "launch/elf.h"
#include "launch/launch_plan.h"
#include "launch/measure.h"
#include "launch/rom.h"
#include "verifier/ossl/ossl.h"

namespace cli {
namespace {

using Kind = hosted::Option::Kind;

constexpr hosted::Option kRomOptions[] = {
    {"output", "OUT", Kind::kRequired, "where to write the ROM"},
    kCpuSignatureOption,
};

absl::Status Rom(const hosted::Arguments& arguments) {
  const auto launch = LaunchGiven(arguments);
  if (!launch.ok()) return launch.status();
  const auto image =
      ReadInput(arguments.positional(0), launch::Elf::kMaxFileSize);
  if (!image.ok()) return image.status();
  const auto rom = launch::MakeRom(*image);
  if (!rom.ok()) return rom.status();
  const bool snp = launch::RomKindOf(*rom) == launch::RomKind::kSnp;
  std::string digest;
  if (snp) {
    const auto plan = launch::PlanOfRom(*rom, launch->cpu_signature != 0
                                                  ? launch->cpu_signature
                                                  : launch::kEpycSignature);
    if (!plan.ok()) return plan.status();
    digest = verifier::ossl::Hex(launch::MeasurePlan(*plan));
  } else {
    const auto measured = launch::MeasureEmulatedImage(*image);
    if (!measured.ok()) return measured.status();
    digest = verifier::ossl::Hex(*measured);
  }
  const std::string output = arguments.Value("output");
  const absl::Status status = WriteOutput(output, *rom);
  if (!status.ok()) return status;
  absl::PrintF("%s: %d bytes\nlaunch digest (%s) %s\n", output, rom->size(),
               snp ? "snp, by -bios" : "emulated", digest);
  return absl::OkStatus();
}

constexpr hosted::Command kCommands[] = {
    {"image rom", "IMAGE.elf",
     "make a flat ROM of an image, for a VMM without IGVM",
     "Writes OUT, a firmware image for QEMU's -bios: the configured image "
     "IMAGE.elf and a stub that puts it into memory and enters it.\n\n"
     "An emulated image has the launch digest that `forelock image measure` "
     "prints of IMAGE.elf: its secure processor measures that. An SNP launch "
     "measures the ROM and the state in which the CPU starts, which depends on "
     "QEMU's -cpu: it is another digest than the IGVM file's, and is printed. "
     "The command line of `forelock image qemu-args` for it needs QEMU 9.1.",
     kRomOptions, &Rom},
};

}  // namespace

std::span<const hosted::Command> ImageRomCommands() { return kCommands; }

}  // namespace cli
